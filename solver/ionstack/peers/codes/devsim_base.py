"""What the DEVSIM programs share: meshes, models with derivatives, counted solves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import devsim

DEVICE = "device"
REGION = "film"
BOLTZMANN = 1.380649e-23
CHARGE = 1.602176634e-19
PERMITTIVITY = 8.8541878128e-12
THERMAL = BOLTZMANN * 300.0 / CHARGE  # V

Nodes = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """Points [length unit of the problem], cells and the facets of every contact."""

    points: list[tuple[float, float]]
    cells: list[Nodes]
    contacts: dict[str, list[Nodes]]


def line(length: float, cells: int) -> Grid:
    """Return a uniform 1-D grid with the contacts `left` and `right`."""
    points = [(length * i / cells, 0.0) for i in range(cells + 1)]
    pairs: list[Nodes] = [(i, i + 1) for i in range(cells)]
    return Grid(points, pairs, {"left": [(0,)], "right": [(cells,)]})


def rectangle(width: float, height: float, nx: int, ny: int) -> Grid:
    """Return uniform right triangles with the contacts `bottom` (y = 0) and `top`."""
    points = [(width * i / nx, height * j / ny) for j in range(ny + 1) for i in range(nx + 1)]
    cells: list[Nodes] = []
    for corner in (j * (nx + 1) + i for j in range(ny) for i in range(nx)):
        opposite = corner + nx + 2
        cells += [(corner, corner + 1, opposite), (corner, opposite, corner + nx + 1)]
    rows = {"bottom": 0, "top": ny * (nx + 1)}
    contacts: dict[str, list[Nodes]] = {
        name: [(row + i, row + i + 1) for i in range(nx)] for name, row in rows.items()
    }
    return Grid(points, cells, contacts)


def left_of(grid: Grid, contact: str, limit: float) -> Grid:
    """Return the grid with a contact reduced to the edges whose midpoint has x < limit."""
    edges = [
        edge
        for edge in grid.contacts[contact]
        if sum(grid.points[node][0] for node in edge) / 2.0 < limit
    ]
    return replace(grid, contacts=grid.contacts | {contact: edges})


def load(grid: Grid) -> None:
    """Make the device from a grid."""
    devsim.create_gmsh_mesh(
        mesh=DEVICE,
        coordinates=[value for x, y in grid.points for value in (x, y, 0.0)],
        elements=_elements(grid),
        physical_names=[REGION, *grid.contacts],
    )
    devsim.add_gmsh_region(mesh=DEVICE, gmsh_name=REGION, region=REGION, material="film")
    for name in grid.contacts:
        devsim.add_gmsh_contact(
            mesh=DEVICE, gmsh_name=name, region=REGION, name=name, material="metal"
        )
    devsim.finalize_mesh(mesh=DEVICE)
    devsim.create_device(mesh=DEVICE, device=DEVICE)


def _elements(grid: Grid) -> list[int]:
    """Flat list of type, group and nodes of every cell and contact facet."""
    groups = [grid.cells, *grid.contacts.values()]
    return [
        number
        for group, cells in enumerate(groups)
        for cell in cells
        for number in (len(cell) - 1, group, *cell)
    ]


def node_model(name: str, expression: str, *variables: str) -> None:
    """Define a nodal expression and its derivatives by node variables."""
    devsim.node_model(device=DEVICE, region=REGION, name=name, equation=expression)
    for variable in variables:
        devsim.node_model(
            device=DEVICE,
            region=REGION,
            name=f"{name}:{variable}",
            equation=f"simplify(diff({expression},{variable}))",
        )


def edge_model(name: str, expression: str, *variables: str) -> None:
    """Define an edge expression and its derivatives by the variables of both ends."""
    devsim.edge_model(device=DEVICE, region=REGION, name=name, equation=expression)
    for variable in (f"{variable}@n{end}" for variable in variables for end in (0, 1)):
        devsim.edge_model(
            device=DEVICE,
            region=REGION,
            name=f"{name}:{variable}",
            equation=f"simplify(diff({expression},{variable}))",
        )


def unknown(name: str, values: Sequence[float]) -> None:
    """Add a node variable with its start values; also for fixed fields."""
    devsim.node_solution(device=DEVICE, region=REGION, name=name)
    devsim.set_node_values(device=DEVICE, region=REGION, name=name, values=values)
    devsim.edge_from_node_model(device=DEVICE, region=REGION, node_model=name)


def equation(variable: str, update: str, **models: str) -> None:
    """Add the conservation law that determines a variable."""
    devsim.equation(
        device=DEVICE,
        region=REGION,
        name=f"{variable}Equation",
        variable_name=variable,
        variable_update=update,
        **models,
    )


def fix(contact: str, variable: str, residual: str, **edge_models: str) -> None:
    """Replace the law of a variable at a contact by residual = 0.

    The edge models, `edge_current_model` or `edge_charge_model`, are summed there.
    """
    name = f"{contact}_{variable}"
    derivative = f"simplify(diff({residual},{variable}))"
    for model, expression in ((name, residual), (f"{name}:{variable}", derivative)):
        devsim.contact_node_model(device=DEVICE, contact=contact, name=model, equation=expression)
    devsim.contact_equation(
        device=DEVICE,
        contact=contact,
        name=f"{variable}Equation",
        node_model=name,
        **edge_models,
    )


def node_values(name: str) -> list[float]:
    """Return a nodal field."""
    return list(devsim.get_node_model_values(device=DEVICE, region=REGION, name=name))


def contact_nodes(contact: str) -> set[int]:
    """Return the node numbers of a contact."""
    cells: Iterable[Sequence[int]] = devsim.get_element_node_list(
        device=DEVICE, region=REGION, contact=contact
    )
    return {node for cell in cells for node in cell}


def parameter(name: str, value: float) -> None:
    """Set a number that expressions may use."""
    devsim.set_parameter(device=DEVICE, name=name, value=value)


def use_threads() -> None:
    """Let DEVSIM assemble on as many threads as `OMP_NUM_THREADS` says."""
    devsim.set_parameter(name="threads_available", value=int(os.environ.get("OMP_NUM_THREADS", 1)))


def use_wide_numbers() -> None:
    """Assemble and solve with 128-bit numbers."""
    for part in ("solver", "model", "equation"):
        devsim.set_parameter(name=f"extended_{part}", value=True)


def title() -> str:
    """Return the name of the code with its linear solver."""
    info = devsim.get_parameter(name="info")
    return f"DEVSIM ({info.get('custom_solver', info['direct_solver'])})"


class Solver:
    """Calls `devsim.solve` and counts Newton steps."""

    def __init__(self, relative: float, absolute: float) -> None:
        self._limits = {"relative_error": relative, "absolute_error": absolute}
        self.newton_steps = 0

    def solve(self, kind: str = "dc", **options: float) -> None:
        """Solve one stationary problem or take one time step; must converge."""
        info = devsim.solve(
            type=kind,
            solver_type="direct",
            maximum_iterations=60,
            info=True,
            **self._limits,
            **options,
        )
        if not info["converged"]:
            raise SystemExit(f"DEVSIM did not converge: {kind} {options}")
        self.newton_steps += len(info["iterations"])
