"""Second order in space: the full stack in 1-D, curved films in 2-D, bodies of revolution."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from ionstack.geometry.stack import Lateral
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from support.convergence import order, richardson_order
from support.devices import analog, owned, ready
from support.films import bound, film, model, species
from support.stacks import annulus, grid, write_triangles
from support.stacks import film as from_file

pytestmark = pytest.mark.slow

# Films of 4 nm, so that uniform cells resolve the space charge (about 0.1 nm); wider cells
# converge faster until they do.
CELLS = (0.1, 0.05, 0.025, 0.0125)  # nm


@cache
def stack(cell: float) -> dict[str, np.ndarray]:
    """Potentials in equilibrium, then current and lithium after some fixed steps."""
    prepared = ready(
        analog(
            *(f"stack.layers.{layer}.thickness=4 nm" for layer in range(3)),
            f"stack.grading.first_cell={cell} nm",
            "stack.grading.growth=1",
            "protocol.0.sweep.amplitude=-0.1 V",
            "numerics.fixed_step=10 ms",
        )
    )
    system = prepared.system
    volumes, layout = system.equations.volumes, system.layout
    every = round(CELLS[0] / cell)
    order = np.argsort(volumes.coordinates[:, 0])
    start = system.local_unknowns()[np.unique(layout.phi)][order][::every]
    states = prepared.stepper().run()
    last = next(state for state in states if state.time > 0.0 and state.at_breakpoint)
    first = volumes.node_region[layout.node[: layout.n_owned]] == 0
    lithium = last.amounts[owned(system, "Li+") & first].sum()
    end = last.unknowns[np.unique(layout.phi)][order][::every]
    return {
        "equilibrium": start,
        "potential": end,
        "current": last.currents[:1],
        "lithium in WO3": np.array([lithium]),
    }


@pytest.mark.parametrize("quantity", ["equilibrium", "potential", "current", "lithium in WO3"])
def test_full_stack_in_one_dimension(quantity, record_property):
    found = richardson_order(CELLS, [stack(cell)[quantity] for cell in CELLS])
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)


INNER, OUTER = 1e-8, 2e-8
STEPS = (6, 12, 24, 48, 96)
DEPTH = 1e-6


@pytest.fixture
def curved(tmp_path):
    """Film between two arcs, as a quarter of an annulus."""

    def make(chosen, cells):
        path = tmp_path / f"annulus-{cells}.msh"
        write_triangles(path, *annulus(INNER, OUTER, cells))
        return film(
            from_file(path, lateral=Lateral("rectangle", None, 1e-6, DEPTH, 1, 1.0)), chosen
        )

    return make


@pytest.fixture
def tube(tmp_path):
    """Film between two coaxial cylinders of height OUTER, as a body of revolution."""

    def make(chosen, cells):
        path = tmp_path / f"tube-{cells}.msh"
        points, triangles = grid(
            np.linspace(INNER, OUTER, cells + 1), np.linspace(0.0, OUTER, cells + 1)
        )
        start = np.arange(cells) * (cells + 1)
        side = np.column_stack([start, start + cells + 1])
        write_triangles(path, points, triangles, {"cathode": side, "anode": side + cells})
        lateral = Lateral("disc", 2.0 * OUTER, None, None, 1, 1.0)
        return film(from_file(path, "axisymmetric", lateral), chosen)

    return make


VOLTS = 0.1
DIELECTRIC = model((), 10.0, 300.0, work_functions=(0.0, VOLTS))


def capacitance(device, cells) -> float:
    """Charge of the inner contact per volt [F]."""
    found = device(DIELECTRIC, cells)
    found.settle({})
    return float(found.metal_charge()[0]) * ELEMENTARY_CHARGE / VOLTS


@pytest.mark.parametrize(
    ("device", "length"), [("curved", 0.5 * math.pi * DEPTH), ("tube", 2.0 * math.pi * OUTER)]
)
def test_coaxial_capacitor(device, length, request, record_property):
    """C = eps * length / ln(b/a), the length being that of the arc at unit radius times depth."""
    make = request.getfixturevalue(device)
    exact = 10.0 * VACUUM_PERMITTIVITY * length / math.log(OUTER / INNER)
    errors = [capacitance(make, cells) / exact - 1.0 for cells in STEPS]
    found = order([1.0 / cells for cells in STEPS], errors)
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)
    assert abs(errors[-1]) < 1e-4


def electrolyte():
    """Mobile ions on a fixed background, Debye length about 3 nm."""
    ion = species(
        "ion", 1, "lattice_gas", 5e24, bound("transport", "site_hopping", diffusivity=1e-14)
    )
    return model((ion,), 10.0, 300.0, fixed_charge=-1.5e24, work_functions=(0.0, 0.3))


@pytest.mark.parametrize("device", ["curved", "tube"])
def test_space_charge_between_arcs(device, request, record_property):
    """Nonlinear Poisson equation with lattice-gas ions, at the nodes common to all meshes."""
    make = request.getfixturevalue(device)
    values = []
    for cells in STEPS:
        found = make(electrolyte(), cells)
        found.settle({"ion": 0.3})
        values.append(_coarse(found, cells, device))
    found_order = richardson_order([1.0 / cells for cells in STEPS], values)
    record_property("order", found_order)
    assert np.ptp(values[-1]) > 0.2
    assert found_order == pytest.approx(2.0, abs=0.1)


def _coarse(found, cells, device):
    """Potentials at the nodes of the coarsest mesh, in a fixed order."""
    x, y = found.volumes.coordinates.T
    if device == "curved":
        u, v = np.hypot(x, y) - INNER, np.arctan2(y, x) / (0.5 * math.pi)
    else:
        u, v = x - INNER, y / OUTER
    column = np.rint(u / (OUTER - INNER) * cells).astype(int)
    row = np.rint(v * cells).astype(int)
    every = cells // STEPS[0]
    kept = np.flatnonzero((column % every == 0) & (row % every == 0))
    return found.potential()[kept[np.lexsort((column[kept], row[kept]))]]
