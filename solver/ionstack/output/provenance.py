"""What a result was made with: versions, sources, mesh, ranks. No host names or paths."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import ionstack

PACKAGE = Path(ionstack.__file__).parent
# Module name -> distribution name, where Python's own metadata may be missing.
LIBRARIES = {
    "numpy": "numpy",
    "jax": "jax",
    "dolfinx": "fenics-dolfinx",
    "petsc4py": "petsc4py",
    "mpi4py": "mpi4py",
    "h5py": "h5py",
    "gmsh": "gmsh",
}


def provenance(
    case_text: str, *, mesh_hash: str, ranks: int, seed: int | None = None
) -> dict[str, str | int | None]:
    """Return flat entries for the summary; None where a fact is not available.

    `mesh_hash` is the content hash of the mesh; the case is given by the SHA-256 of
    its text, the program by its version, the git commit of its checkout (if it runs
    from one) and a hash of its sources, which also tells uncommitted changes.
    """
    entries: dict[str, str | int | None] = {
        "case.sha256": hashlib.sha256(case_text.encode()).hexdigest(),
        "mesh.sha256": mesh_hash,
        "mpi.ranks": ranks,
        "mpi.library": _mpi_library(),
        "seed": seed,
        "date.utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "git.commit": git_commit(PACKAGE.parents[1]),
        "source.sha256": source_hash(PACKAGE),
        "blas": blas_name(),
        "version.ionstack": ionstack.__version__,
        "version.python": platform.python_version(),
        "version.petsc": _petsc_version(),
    }
    libraries = {f"version.{name}": _version(name) for name in LIBRARIES}
    return entries | libraries


def git_commit(root: Path) -> str | None:
    """Return the commit checked out in a repository root, read without git itself."""
    git = root / ".git"
    try:
        if git.is_file():
            git = root / git.read_text().removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        return _resolve(git, head.removeprefix("ref: "))
    except OSError:
        return None


def _resolve(git: Path, reference: str) -> str | None:
    common = git / "commondir"
    shared = git / common.read_text().strip() if common.exists() else git
    loose = shared / reference
    if loose.exists():
        return loose.read_text().strip()
    packed = (shared / "packed-refs").read_text()
    match = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(reference)}$", packed, re.MULTILINE)
    return match.group(1) if match else None


def source_hash(package: Path) -> str:
    """Return the SHA-256 of all Python files of a package, by relative name."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def blas_name() -> str | None:
    """Return the file names of the BLAS libraries loaded now, ``libopenblasp-r0.3.29.so``."""
    names = sorted(set(_loaded_libraries()))
    return ", ".join(names) if names else None


def _loaded_libraries() -> Iterator[str]:
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return
    for path in {line.split(maxsplit=5)[-1] for line in maps.splitlines() if ".so" in line}:
        name = Path(path).name
        if (
            re.match(r"lib(scipy_|cblas|.*blas|mkl_rt|blis|flexiblas)", name)
            and "cublas" not in name
        ):
            yield name


def _version(module: str) -> str | None:
    loaded = getattr(sys.modules.get(module), "__version__", None)
    if loaded is not None:
        return str(loaded)
    try:
        return metadata.version(LIBRARIES[module])
    except metadata.PackageNotFoundError:
        return None


def _petsc_version() -> str | None:
    petsc = sys.modules.get("petsc4py.PETSc")
    return None if petsc is None else ".".join(str(part) for part in petsc.Sys.getVersion())


def _mpi_library() -> str | None:
    mpi = sys.modules.get("mpi4py.MPI")
    # Open MPI appends the user and host that built it after the first comma.
    return None if mpi is None else mpi.Get_library_version().split(",")[0].splitlines()[0]
