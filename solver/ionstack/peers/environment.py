"""A Python environment for other codes, so that their versions never change ours.

    python -m ionstack.peers.environment     make it, or say where it is

It lies in the cache folder under a name that follows from its requirements and the
interpreter, and appears there only when complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from ionstack.errors import InputError

_EXTRA = "peers"
_PYPROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"
PIP = (sys.executable, "-m", "pip")
COMMAND = "python3 -m ionstack.peers.environment"


def requirements() -> list[str]:
    """Return what the extra `peers` asks for: of the source tree, or as installed."""
    if _PYPROJECT.is_file():
        project = tomllib.loads(_PYPROJECT.read_text())["project"]
        return list(project["optional-dependencies"][_EXTRA])
    return without_extra(metadata.requires("ionstack") or ())


def without_extra(lines: Iterable[str]) -> list[str]:
    """Return the lines of an installed package's extra `peers`, without that condition."""
    condition = re.compile(rf"""\s*(;|and)\s*extra == ['"]{_EXTRA}['"]""")
    return [condition.sub("", line) for line in lines if condition.search(line)]


def folder(needed: Sequence[str] | None = None) -> Path:
    """Return where the environment belongs; it need not exist."""
    return named(_EXTRA, requirements() if needed is None else needed)


def named(prefix: str, contents: Sequence[str]) -> Path:
    """Return the cache folder for these contents and this interpreter."""
    interpreter = [platform.python_version(), platform.machine(), sys.base_prefix]
    digest = hashlib.sha256("\n".join([*sorted(contents), *interpreter]).encode()).hexdigest()
    return _cache() / f"{prefix}-{digest[:16]}"


def _cache() -> Path:
    """The launcher's folder, or that of the user's cache."""
    if home := os.environ.get("IONSTACK_HOME"):
        return Path(home)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ionstack"


def python(where: Path) -> Path:
    """Return the interpreter of an environment."""
    return where / "bin" / "python"


def math_library(where: Path) -> str:
    """Return the BLAS that DEVSIM shall load: MKL, which has PARDISO, or OpenBLAS."""
    libraries = sorted((where / "lib").glob("libmkl_rt.so*"))
    return str(libraries[0]) if libraries else "libopenblas.so.0"


def create(needed: Sequence[str] | None = None) -> Path:
    """Make the environment unless it exists, and return its folder."""
    listed = requirements() if needed is None else list(needed)
    return provide(folder(listed), lambda partial: _install(partial, listed))


def provide(where: Path, fill: Callable[[Path], None]) -> Path:
    """Fill a folder beside the final one, then give it its name; a kill leaves nothing."""
    where.parent.mkdir(parents=True, exist_ok=True)
    partial = where.with_suffix(".partial")
    with _locked(where.with_suffix(".lock")):
        if not where.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
            fill(partial)
            partial.rename(where)
    return where


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process builds the same environment."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(where: Path, needed: Sequence[str]) -> None:
    """Make a virtual environment that holds the requirements and sees nothing of ours."""
    call([sys.executable, "-m", "venv", "--without-pip", str(where)])
    call([*PIP, "--python", str(python(where)), "install", *needed])


def call(command: Sequence[str], **variables: str) -> None:
    """Run a command whose output goes to standard error."""
    try:
        subprocess.run(command, check=True, stdout=sys.stderr, env=os.environ | variables)
    except subprocess.CalledProcessError as error:
        raise InputError(f"the peers' environment cannot be made: {error}") from error


if __name__ == "__main__":
    print(create())
