"""A perspective view of a 3-D result, with the depth exaggerated.

``python -m ionstack.plots.scene RUN_DIR PICTURE`` draws it for one run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pyvista
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.run_directory import RunDirectory
from ionstack.output.states import states_of
from ionstack.plots.maps import ion_quantity, value_limits
from ionstack.plots.style import RC, new_figure, save

# Height of the drawn stack as a share of its width.
_HEIGHT = 0.4
_PIXELS = (760, 620)


def draw_scene(fields: Fields, states: Sequence[tuple[str, int]], path: Path) -> Path:
    """Draw the states side by side, a quarter cut away; VTK renders off screen."""
    name, label = ion_quantity(fields)
    inside = fields.inside()
    grids = [fields.grid(step, (name,)) for _, step in states]
    limits = value_limits(np.concatenate([np.asarray(grid[name])[inside] for grid in grids]))
    stretch = _HEIGHT * float(np.ptp(fields.points[:, :2], axis=0).max() / np.ptp(fields.depth))
    images = _cropped([_render(grid, name, limits, stretch) for grid in grids])
    figure = new_figure(
        1.0 + 3.7 * len(states), 0.9 + 3.7 * images[0].shape[0] / images[0].shape[1]
    )
    row = figure.subplots(1, len(states), squeeze=False)[0]
    for axes, image, (state, _) in zip(row, images, states, strict=True):
        axes.imshow(image, interpolation="auto")
        axes.set_title(state)
        axes.set_axis_off()
    figure.colorbar(
        ScalarMappable(Normalize(*limits), "viridis"),
        ax=list(row),
        label=label,
        shrink=0.85,
        pad=0.02,
    )
    layers = ", ".join(layer for layer, _, _ in fields.layers)
    note = f"layers from the top: {layers}; depth exaggerated {stretch:.3g} times"
    figure.supxlabel(note, fontsize=8.5, color="0.35")
    return save(figure, path)


def _render(
    grid: pyvista.UnstructuredGrid, name: str, limits: tuple[float, float], stretch: float
) -> npt.NDArray[np.uint8]:
    """Return the view as an image (rows, columns, 3); lengths are scaled to about 1."""
    scale = 1.0 / float(np.ptp(grid.points[:, :2], axis=0).max())
    grid.points = grid.points * (scale * np.array([1.0, 1.0, -stretch]))
    quiet: Any = pyvista.vtk_verbosity
    with quiet("off"):
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=list(_PIXELS))
        plotter.set_background("white")
        for region in np.unique(grid.cell_data["region"]):
            _add_layer(plotter, grid, int(region), name, limits)
        _place_camera(plotter)
        image = np.asarray(plotter.screenshot(None, return_img=True))
        plotter.close()
    return image


def _add_layer(
    plotter: Any,
    grid: pyvista.UnstructuredGrid,
    region: int,
    name: str,
    limits: tuple[float, float],
) -> None:
    """Add one layer. Cut alone: VTK's clip would join the two sides of an interface."""
    layer = grid.extract_cells(grid.cell_data["region"] == region)
    # Off the exact middle, where a structured mesh has whole planes of vertices.
    centre = np.array(grid.center) + 1e-5
    for half in _without_quarter(layer, centre):
        surface = half.extract_surface(algorithm=None)
        plotter.add_mesh(
            surface,
            scalars=name,
            clim=limits,
            cmap="viridis",
            nan_color="lightgrey",
            ambient=0.65,
            diffuse=0.4,
            show_scalar_bar=False,
        )
        edges = _outer_edges(surface, centre)
        if edges.n_cells:
            plotter.add_mesh(edges, color="black", line_width=1.5)


def _without_quarter(layer: Any, centre: npt.NDArray[np.float64]) -> list[Any]:
    """Return the rear half and the quarter in front of it on the left."""
    rear = layer.clip(normal="-y", origin=centre)
    left = layer.clip(normal="y", origin=centre).clip(normal="x", origin=centre)
    return [part for part in (rear, left) if part.n_cells]


def _outer_edges(surface: Any, centre: npt.NDArray[np.float64]) -> Any:
    """Return the sharp edges, without the seam where the two parts meet."""
    edges = surface.clean().extract_feature_edges(
        30.0, boundary_edges=False, non_manifold_edges=False, manifold_edges=False
    )
    if not edges.n_cells:
        return edges
    middle = edges.cell_centers().points
    seam = (np.abs(middle[:, 1] - centre[1]) < 1e-6) & (middle[:, 0] < centre[0] - 1e-6)
    return edges.extract_cells(~seam)


def _place_camera(plotter: Any) -> None:
    plotter.camera_position = "iso"
    plotter.camera.azimuth = -90.0
    plotter.camera.elevation = -8.0
    plotter.reset_camera()


def _cropped(images: list[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.uint8]]:
    """Cut the white margin that all images share."""
    drawn = np.any([(image < 250).any(axis=2) for image in images], axis=0)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not rows.size:
        return images
    return [image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] for image in images]


def main(arguments: Sequence[str]) -> None:
    """Draw the picture of a run folder; arguments: folder, path of the picture."""
    folder, picture = arguments
    run = RunDirectory(Path(folder))
    fields = read_fields(run.fields)
    with mpl.rc_context(RC):
        draw_scene(fields, states_of(run, fields), Path(picture))


if __name__ == "__main__":
    main(sys.argv[1:])
