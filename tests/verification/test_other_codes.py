"""Other codes on the same cells: DEVSIM and VoronoiFVM.jl, digit by digit."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.geometry.stack import Lateral
from ionstack.physics.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from support.films import bound, film, model, slab, species
from support.problems import hold
from support.stacks import film as from_file
from support.stacks import grid, write_triangles

LENGTH = 1e-7
VOLTS = 0.5


def ions(work_functions=(0.0, 0.0)):
    """One mobile cation on a fixed background between blocking contacts."""
    hop = bound("transport", "sedan", diffusivity=1e-16)
    ion = species("ion", 1, "boltzmann", 1e25, hop)
    return model((ion,), 25.0, 300.0, fixed_charge=-1e25, work_functions=work_functions)


def first_step(found) -> float:
    """Charge of the cathode after one implicit Euler step of 1 ms from rest."""
    found.settle({"ion": 1.0})
    last = list(found.drive(hold((1e-3,), (VOLTS, 0.0)), fixed=1e-3))[-1]
    return float(found.metal_charge(tuple(last.voltages))[0]) * ELEMENTARY_CHARGE


def test_first_step_in_one_dimension(verify):
    verify(
        "devsim.first_step_1d",
        first_step(film(slab(LENGTH, LENGTH / 500), ions())),
        1.137571676e-3,
        rel=1e-9,
        unit="C/m^2",
        title="charge after one step of 1 ms to 0.5 V, 501 nodes",
        source="DEVSIM 2.11, BDF1",
    )


@pytest.fixture
def square(tmp_path):
    """Square of 100 nm with right triangles; the cathode covers half of one side."""

    def make(cells, chosen):
        side = np.linspace(0.0, LENGTH, cells + 1)
        points, triangles = grid(side, side)
        row = np.column_stack([np.arange(cells), np.arange(cells) + 1])
        cathode = (row + cells * (cells + 1))[: cells // 2]
        path = tmp_path / f"square-{cells}.msh"
        write_triangles(path, points, triangles, {"cathode": cathode, "anode": row})
        unit_depth = Lateral("rectangle", None, LENGTH, 1.0, 1, 1.0)
        return film(from_file(path, lateral=unit_depth), chosen)

    return make


@pytest.mark.parametrize(("cells", "charge"), [(50, 9.378296918e-11), (100, 9.350783949e-11)])
def test_first_step_in_two_dimensions(cells, charge, square, verify):
    verify(
        f"devsim.first_step_2d({cells})",
        first_step(square(cells, ions())),
        charge,
        rel=1e-9,
        unit="C/m",
        title=f"charge after one step of 1 ms to 0.5 V, {cells} x {cells} cells",
        source="DEVSIM 2.11, BDF1",
    )


@pytest.mark.parametrize(("cells", "charge"), [(50, 9.518121775e-10), (100, 9.369486215e-10)])
def test_end_in_two_dimensions(cells, charge, square, verify):
    """The reference ends after 10 s, a few times 1e-6 short of equilibrium."""
    found = square(cells, ions(work_functions=(-VOLTS, 0.0)))
    found.settle({"ion": 1.0})
    verify(
        f"devsim.end_2d({cells})",
        found.metal_charge()[0] * ELEMENTARY_CHARGE,
        charge,
        rel=5e-6,
        unit="C/m",
        title=f"charge in the end, {cells} x {cells} cells",
        source="DEVSIM 2.11 after 10 s",
    )


def degenerate(volts: float):
    """VoronoiFVM's Example160 in equilibrium: 21 nodes, -1e-3 phi'' = 1 - 2c, c(1) = 1/2.

    Its drift term counts the potential twice, hence kT/e = 1/2.
    """
    density, thermal = 1e25, 0.5
    permittivity = 1e-3 * ELEMENTARY_CHARGE * density / VACUUM_PERMITTIVITY
    hop = bound("transport", "sedan", diffusivity=1.0)
    ion = species("ion", -1, "lattice_gas", 2.0 * density, hop)
    held = {"anode": {"ion": bound("contact", "exchange", exchange_current_density=1e6)}}
    chosen = model(
        (ion,), permittivity, thermal / BOLTZMANN_EV, density, (-volts, 0.0), contacts=held
    )
    found = film(slab(1.0, 0.05), chosen)
    found.settle({})
    return found, float(found.metal_charge()[0]) / density


def test_degenerate_double_layer(verify):
    source = "VoronoiFVM.jl, Example160"
    (_, low), (_, high) = (degenerate(volts) for volts in (-1.0, -1.0 + 1e-4))
    verify(
        "voronoifvm.capacity",
        (high - low) / 1e-4,
        0.025657355479449806,
        rel=1e-10,
        title="capacity of a lattice gas at -1, 21 nodes",
        source=source,
    )
    found, _ = degenerate(5.0)
    u, phi = found.system.local_unknowns()[found.layout.species["ion"]], found.potential()
    content = 1.0 / (1.0 + np.exp(-(u + phi) / found.system.thermal_voltage))
    verify(
        "voronoifvm.sum",
        phi.sum() + content.sum(),
        18.721369939565655,
        rel=1e-10,
        title="sum of all potentials and contents at 5",
        source=source,
    )
