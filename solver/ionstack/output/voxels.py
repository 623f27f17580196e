"""Regular voxels of an image in depth, ``sims_map_*.vti`` for ParaView and PyVista."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ionstack.output.atomic import replacing

if TYPE_CHECKING:
    import pyvista


@dataclass(frozen=True)
class VoxelGrid:
    """Where voxels lie [m]: the corner of the first, and the size of each, along x, y and depth."""

    origin: tuple[float, float, float]
    size: tuple[float, float, float]


def write_voxels(
    path: Path, grid: VoxelGrid, arrays: Mapping[str, npt.NDArray[np.float32]]
) -> Path:
    """Write arrays (rows, columns, depths) as values of cells; the depth points down."""
    import pyvista

    rows, columns, depths = next(iter(arrays.values())).shape
    image: Any = pyvista.ImageData(
        dimensions=(columns + 1, rows + 1, depths + 1),
        spacing=grid.size,
        origin=(*grid.origin[:2], -grid.origin[2] - depths * grid.size[2]),
    )
    for name, values in arrays.items():
        # VTK counts x first, and its z points up.
        image.cell_data[name] = values[:, :, ::-1].transpose(2, 0, 1).ravel()
    with replacing(path) as partial:
        # The ending chooses VTK's writer.
        target = partial.with_suffix(".vti")
        image.save(target)
        target.replace(partial)
    return path


def read_voxels(path: Path, names: Sequence[str] | None = None) -> pyvista.ImageData:
    """Return the voxels as a PyVista grid with the named (or all) arrays."""
    import pyvista

    open_reader: Any = pyvista.get_reader
    reader = open_reader(path)
    for name in reader.cell_array_names:
        if names is not None and name not in names:
            reader.disable_cell_array(name)
    image: pyvista.ImageData = reader.read()
    return image
