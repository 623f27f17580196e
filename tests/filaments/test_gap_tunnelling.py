"""Electrons that tunnel through the gap of a filament that is a field, against closed forms."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from scipy.integrate import quad
from scipy.optimize import brentq

from ionstack.gaps.gap_widths import GapWidths
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import PROFILE, Stack
from ionstack.models.gap_model import GapLayer, GapModel
from ionstack.physics.states import FARTHEST
from ionstack.physics.tunnelling import current_density, narrowest
from ionstack.reading.curve_choice import read_curve
from support.convergence import order
from support.gap_on_ranks import under_a_tip
from support.gapped import BARE, BARRIER, FULL, METAL, Gapped, diffuse, disc, film, tip, tunnelling
from support.launch import launch
from support.layers import layer, stack

SIDES = ("top", "bottom")
VOLTAGES = (1e-3, 0.3, 1.0, -1.0, 2.0)


def sharp(*gaps: tuple[float, float]):
    """Metal but for gaps between two depths [m]."""

    def content(points):
        z = points[:, -1]
        inside = [(z > low) & (z < high) for low, high in gaps]
        return np.where(np.any(inside, axis=0), BARE, FULL)

    return content


def face(depth: float, width: float):
    """Metal from the top down to a depth [m]."""
    return lambda points: diffuse(points[:, -1] - depth, width)


def in_series(voltage: float, gap: float, metal: float) -> float:
    """Simmons' current density behind a length of metal [m]."""
    top = abs(current_density(voltage, BARRIER, gap))

    def surplus(found: float) -> float:
        return float(found - current_density(abs(voltage) - found * metal / METAL, BARRIER, gap))

    return float(np.sign(voltage) * brentq(surplus, 0.0, top, xtol=1e-9 * top))


@pytest.mark.parametrize("gap", [0.5e-9, 1.0e-9, 1.5e-9])
def test_a_plane_gap_with_sharp_faces_carries_simmons_current(gap):
    """Faces are in the middle of cells."""
    device = Gapped(film(3e-9, 1e-10), sharp((0.45e-9, 0.45e-9 + gap)))
    assert device.field.width == pytest.approx(gap, rel=1e-5)
    for voltage in VOLTAGES:
        top, bottom = device.currents(voltage)
        assert top == pytest.approx(in_series(voltage, gap, 2.9e-9 - gap), rel=1e-5)
        assert top + bottom == pytest.approx(0.0, abs=1e-6 * abs(top))
    assert np.abs(device.currents(0.0)).max() < 1e-12


def test_barrier_and_mass_are_those_of_the_law():
    device = Gapped(film(3e-9, 1e-10), sharp((0.45e-9, 1.45e-9)), tunnelling(3.0, 0.5))
    exact = current_density(0.8, 3.0, 1e-9, 0.5)
    assert device.currents(0.8)[0] == pytest.approx(exact, rel=1e-3)


def test_the_width_between_diffuse_faces_converges_at_second_order():
    """Or better, whatever the place of the face in its cell; the current follows."""
    cells, errors = (20, 40, 80), []
    for count in cells:
        size = 4e-9 / count
        places = 3e-9 + size * np.array([0.2, 0.7])
        made = [Gapped(film(4e-9, size), face(one, 2e-10)) for one in places]
        widths = np.array([one.field.width for one in made])
        errors.append(np.abs(widths + places - 4e-9).max())
    assert order([1 / n for n in cells], errors) > 1.8
    assert errors[-1] < 5e-13
    for voltage in VOLTAGES:
        exact = current_density(voltage, BARRIER, 4e-9 - places[-1])
        assert made[-1].currents(voltage)[0] == pytest.approx(exact, rel=5e-3)


def test_a_narrow_gap_counts_as_the_narrowest_that_the_formula_holds_for():
    device = Gapped(film(3e-9, 5e-11), sharp((0.475e-9, 0.675e-9)))
    assert device.field.width == pytest.approx(2e-10, rel=1e-4)
    exact = in_series(0.1, narrowest(BARRIER), 2.75e-9)
    assert device.currents(0.1)[0] == pytest.approx(exact, rel=1e-4)


def test_a_gap_may_cross_an_interface():
    films = stack(layer("upper", 1e-9, 1e-10), layer("lower", 2e-9, 1e-10))
    device = Gapped(films, sharp((0.45e-9, 1.45e-9)))
    assert device.field.width == pytest.approx(1e-9, rel=1e-5)
    exact = current_density(0.5, BARRIER, 1e-9)
    assert device.currents(0.5)[0] == pytest.approx(exact, rel=1e-3)


def test_a_layer_without_the_law_is_metal():
    films = stack(layer("upper", 1e-9, 1e-10), layer("lower", 2e-9, 1e-10))
    volumes = build_control_volumes(build_mesh(films, MPI.COMM_SELF))
    widths = GapWidths(volumes, GapModel({"lower": GapLayer("Ag", 0.5, 2.0, 1.0)}, SIDES))
    width = widths.at_edges({"x Ag [1]": np.full(len(volumes.node_region), BARE)}).width
    inside = volumes.node_region[volumes.edge_nodes[:, 0]] == volumes.regions.index("lower")
    np.testing.assert_allclose(width[inside], 2e-9, rtol=1e-9)
    assert np.all(width[~inside] == FARTHEST)


def test_two_gaps_in_series_share_the_voltage():
    """What is metal between them has one potential: electrons tunnel twice."""
    device = Gapped(film(4e-9, 1e-10), sharp((0.45e-9, 1.25e-9), (2.25e-9, 3.05e-9)))
    first, second = 0.8e-9, 0.8e-9
    exact = current_density(0.35, BARRIER, first)
    assert device.currents(0.7)[0] == pytest.approx(exact, rel=3e-3)
    second = 1.0e-9
    device = Gapped(film(4e-9, 1e-10), sharp((0.45e-9, 1.25e-9), (2.25e-9, 3.25e-9)))
    assert device.field.width == pytest.approx(first, rel=1e-5)

    def surplus(share: float) -> float:
        upper = current_density(0.7 * share, BARRIER, first)
        return float(upper - current_density(0.7 * (1.0 - share), BARRIER, second))

    exact = current_density(0.7 * brentq(surplus, 1e-6, 1.0 - 1e-6), BARRIER, first)
    assert device.currents(0.7)[0] == pytest.approx(exact, rel=3e-3)


def bumped(made: Stack) -> Stack:
    """The stack with a small bump on the axis, which makes its mesh one of free triangles."""
    rise = {"formula": "0.3*exp(-(r/1e-9)**2)", "unit": "nm", "source": "test"}
    return replace(made, top=replace(made.top, profile=read_curve(rise, PROFILE)))


@pytest.mark.parametrize(("change", "allowed"), [(lambda made: made, 3e-3), (bumped, 3e-3)])
def test_a_plane_gap_about_an_axis_carries_the_current_of_its_area(change, allowed):
    device = Gapped(change(disc(3e-9, 1e-10, 2e-9, 20)), face(2e-9, 2e-10))
    for voltage in VOLTAGES[:3]:
        exact = np.pi * 4e-18 * current_density(voltage, BARRIER, device.volumes.depth.max() - 2e-9)
        assert device.currents(voltage)[0] == pytest.approx(exact, rel=allowed)


def test_a_rounded_tip_carries_the_current_of_its_local_gaps():
    """Derjaguin's integral, which holds for radii far above the gap: 2 % at a twentieth."""
    errors, gap, reach = [], 1e-9, 4e-9
    for radius in (5e-9, 20e-9):
        device = Gapped(disc(3e-9, 1e-10, reach, 40), tip(2e-9, radius))
        assert device.field.width == pytest.approx(gap, rel=1e-2)

        def ring(r: float, radius: float = radius) -> float:
            local = gap + radius - np.sqrt(radius**2 - r**2)
            return float(2.0 * np.pi * r * current_density(0.5, BARRIER, local))

        found = device.currents(0.5)
        assert found.sum() == pytest.approx(0.0, abs=1e-8 * found[0])
        errors.append(found[0] / quad(ring, 0.0, reach, epsabs=0.0)[0] - 1.0)
    assert errors == pytest.approx([0.07, 0.015], abs=0.015)


@pytest.mark.slow
def test_two_ranks_find_the_same(tmp_path):
    done = launch(2, ["-m", "support.gap_on_ranks", str(tmp_path / "two.json")])
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "two.json").read_text())
    assert found == pytest.approx(under_a_tip(MPI.COMM_SELF), rel=1e-8)
    assert found["top"] > 0.0
