"""Mistakes that a user can make, as command lines with what the answer must contain."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).parents[1] / "config" / "files"


@dataclass(frozen=True)
class Mistake:
    """`spoil` edits correct copies of case and stack; `answer` are parts of the message."""

    name: str
    spoil: Callable[[Path], list[str]]
    answer: tuple[str, ...]


def _edit(file: str, old: str, new: str) -> Callable[[Path], list[str]]:
    def spoil(folder: Path) -> list[str]:
        path = folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new, 1))
        return ["run", str(folder / "case.yaml"), "-o", str(folder / "out")]

    return spoil


def _missing_file(folder: Path) -> list[str]:
    return ["run", str(folder / "cases.yaml"), "-o", str(folder / "out")]


def _other_results(folder: Path) -> list[str]:
    (folder / "out").mkdir()
    (folder / "out" / "case.yaml").write_text("name: another\n")
    return ["run", str(folder / "case.yaml"), "-o", str(folder / "out")]


def _sweep(*varied: str) -> Callable[[Path], list[str]]:
    def spoil(folder: Path) -> list[str]:
        options = [part for one in varied for part in ("--vary", one)]
        return ["sweep", str(folder / "case.yaml"), *options, "-o", str(folder / "out")]

    return spoil


def _bad_mesh(content: str) -> Callable[[Path], list[str]]:
    def spoil(folder: Path) -> list[str]:
        (folder / "device.msh").write_text(content)
        stack = folder / "stack.yaml"
        text = stack.read_text().replace(", thickness: 100 nm", "")
        text = text.replace("dimension: 1d", "dimension: 2d\nmesh_file: device.msh")
        stack.write_text(text)
        return ["run", str(folder / "case.yaml"), "-o", str(folder / "out")]

    return spoil


def _msh(names: str, nodes: list[tuple[float, float]], cells: list[str]) -> str:
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", names.strip(), "$Nodes", str(len(nodes))]
    lines += [f"{k} {x} {y} 0" for k, (x, y) in enumerate(nodes, 1)]
    lines += ["$EndNodes", "$Elements", str(len(cells)), *cells, "$EndElements", ""]
    return "\n".join(line for line in lines if line)


# Three layers of one quadrilateral each; the first, a parallelogram, is split along its
# long diagonal, so its triangles' circumcircles hold each other's corners.
_NODES = [(0, 0), (1, 0), (1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3)]
_NODES = [(x * 1e-7, y * 1e-7) for x, y in _NODES]
_TRIANGLES = [(1, 2, 4), (1, 4, 3), (3, 4, 6), (3, 6, 5), (5, 6, 8), (5, 8, 7)]
_NAMES = """
$PhysicalNames
5
1 1 "Pt"
1 2 "ITO"
2 3 "WO3"
2 4 "LiPON"
2 5 "MoO3"
$EndPhysicalNames
"""


def _cells() -> list[str]:
    lines = ["1 1 2 1 1 1 2", "2 1 2 2 2 7 8"]
    tags = (3, 3, 4, 4, 5, 5)
    for number, (tag, nodes) in enumerate(zip(tags, _TRIANGLES, strict=True), 3):
        lines.append(f"{number} 2 2 {tag} {tag} " + " ".join(map(str, nodes)))
    return lines


MISTAKES = [
    Mistake(
        "misspelt key",
        _edit("stack.yaml", "thickness: 100 nm", "thicknes: 100 nm"),
        ("stack.yaml:", "layers.0.thicknes", "unknown key", "did you mean 'thickness'?"),
    ),
    Mistake(
        "wrong unit dimension",
        _edit("stack.yaml", "100 nm}", "100 s}"),
        ("stack.yaml:", "layers.0.thickness", "'100 s' is not a quantity in m"),
    ),
    Mistake(
        "negative thickness",
        _edit("stack.yaml", "thickness: 100 nm", "thickness: -100 nm"),
        ("stack.yaml:", "layers.0.thickness", "greater than 0", "'-100 nm'"),
    ),
    Mistake(
        "unknown material",
        _edit("stack.yaml", "material: WO3", "material: WO"),
        ("stack.yaml:", "layers.0.material", "'WO'", "did you mean 'WO3'?"),
    ),
    Mistake(
        "missing contact",
        _edit("case.yaml", "sweep: {contact: Pt", "sweep: {contact: Au"),
        ("case.yaml:", "protocol.0.sweep.contact", "'Au'", "Pt", "ITO"),
    ),
    Mistake(
        "duplicate layer name",
        _edit("stack.yaml", "{name: LiPON", "{name: WO3"),
        ("stack.yaml:", "layers.1.name", "WO3"),
    ),
    Mistake(
        "YAML syntax error",
        _edit("case.yaml", "species:", "species: [}"),
        ("case.yaml:",),
    ),
    Mistake("missing file", _missing_file, ("cases.yaml", "did you mean")),
    Mistake(
        "NaN parameter",
        _edit("case.yaml", "value: 10 A/m^2", "value: .nan A/m^2"),
        ("case.yaml:", "exchange_current_density"),
    ),
    Mistake(
        "mesh without physical names",
        _bad_mesh(_msh("", _NODES, _cells())),
        ("device.msh", "physical", "WO3"),
    ),
    Mistake(
        "mesh that is not Delaunay",
        _bad_mesh(_msh(_NAMES, _NODES, _cells())),
        ("not Delaunay", "1 edges have negative Voronoi factors", "1e-07 m"),
    ),
    Mistake(
        "sweep of an unknown key",
        _sweep("temperatur=280 K,300 K"),
        ("--vary temperatur=280 K:", "did you mean 'temperature'?"),
    ),
    Mistake(
        "sweep over a value of a wrong unit",
        _sweep("temperature=300 K,3 V"),
        ("--vary temperature=3 V:", "'3 V' is not a quantity in K"),
    ),
    Mistake("sweep of nothing", _sweep(), ("--vary: nothing to vary",)),
    Mistake(
        "unknown instrument",
        _edit("case.yaml", "protocol:", "instruments: [iw]\nprotocol:"),
        ("case.yaml:", "instruments.0.kind", "'iw'", "did you mean 'iv'?"),
    ),
    Mistake(
        "limit out of reach",
        _edit("case.yaml", "cycles: 5}", "cycles: 5}\n    until: {voltage: {above: 2 V}}"),
        ("case.yaml:", "protocol.0.until.voltage.above", "never reached", "between -1 and 0 V"),
    ),
    Mistake("another run's folder", _other_results, ("out", "-o")),
]


def prepare(folder: Path, mistake: Mistake) -> list[str]:
    """Copy the correct files into a folder, spoil them and return the command line."""
    folder.mkdir()
    for name in ("case.yaml", "stack.yaml"):
        shutil.copy(FILES / name, folder / name)
    return mistake.spoil(folder)
