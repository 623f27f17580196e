"""Bonds that break around a bump: with it in the mesh, as a factor, and exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import dblquad

from ionstack.assembly.node_fields import NodeFields
from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.geometry.stack import PROFILE, Lateral
from ionstack.models.carriers import FOCUS
from ionstack.models.case_model import build_model
from ionstack.models.model import ReactionModel, RegionModel
from ionstack.models.place_profile import Profile
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.reading.curve_choice import read_curve
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]

RADIUS, THICK, WIDE, NEAR = 1e-8, 2e-7, 1e-7, 3e-8
SITES, START, VOLTS, KELVIN = 3e28, 1e-14, 1.0, 300.0
LOWERING = 1e-9 * (2.0 + 22.0) / 3.0  # eV per V/m
HALF_SPHERE = f"{RADIUS}*sqrt(max(1 - (r/{RADIUS})**2, 0))"


def film(focus: Profile | None) -> RegionModel:
    """What is broken stays; hardly any of it at the start."""
    law = bound(
        "reaction", "bond_breaking", attempt_frequency=1e13, bond_density=SITES, barrier=1.0,
        dipole_length=1e-9, relative_permittivity=22.0, healing_share=1.0,
    )  # fmt: skip
    broken = species("broken", 0, "lattice_gas", SITES, bound("transport", "immobile"))
    breaking = ReactionModel("breaking", (), (("broken", 1),), law, focus)
    return RegionModel("film", 22.0, 0.0, (broken,), (breaking,))


def volume(cells: int, rise: str | None = None, focus: Profile | None = None) -> float:
    """Volume [m^3] of a plane film that breaks as many bonds as are broken near the bump."""
    films = stack(
        layer("film", THICK, 1e-9, 1.2),
        dimension="axisymmetric",
        lateral=Lateral("disc", 2.0 * WIDE, None, None, cells, 1.0),
    )
    if rise:
        curve = read_curve({"formula": rise, "unit": "m", "source": "test"}, PROFILE)
        films = replace(films, top=replace(films.top, profile=curve))
    device = Device(films, model((film(focus),)), {"film": {"broken": START}})
    device.settle("as_given")
    for _ in device.march(Ramp((0.0, 1e-12, 1e-9), ((0.0, 0.0), *[(VOLTS, 0.0)] * 2)), fixed=5e-10):
        pass
    volumes = device.volumes
    broken = NodeFields(device.system).evaluate()["x broken [1]"] - START
    place = volumes.coordinates[volumes.node_vertex]
    near = np.hypot(*place.T) < NEAR
    plane = broken[np.argmax(place[:, 0] + place[:, 1])]
    return float(volumes.node_volume[near] @ broken[near] / plane)


def factor(points: Floats) -> Floats:
    """Field around half a sphere on a plane over that far away; none inside."""
    away = np.maximum(np.hypot(*points.T), 1e-30)
    share, cosine = (RADIUS / away) ** 3, points[:, 1] / away
    found = np.hypot((1.0 + 2.0 * share) * cosine, (1.0 - share) * np.sqrt(1.0 - cosine**2))
    return np.where(away < RADIUS * (1.0 - 1e-9), 0.0, found)


def exact() -> float:
    """The same volume from the field outside half a sphere."""

    def broken(angle: float, away: float) -> float:
        point = away * np.array([[np.sin(angle), np.cos(angle)]])
        more = LOWERING * VOLTS / THICK * (factor(point)[0] - 1.0)
        ring = 2.0 * np.pi * away**2 * np.sin(angle)
        return float(ring * np.exp(more / (BOLTZMANN_EV * KELVIN)))

    return float(dblquad(broken, RADIUS, NEAR, 0.0, np.pi / 2.0, epsrel=1e-6)[0])


def test_a_factor_breaks_as_many_bonds_as_the_bump_in_the_mesh() -> None:
    """Cells of 1 nm at the bump; as a factor its outline is that of the cells."""
    right = exact()
    meshed = volume(20, HALF_SPHERE)
    placed = volume(100, focus=factor)
    assert meshed == pytest.approx(right, rel=1e-2)
    assert placed == pytest.approx(right, rel=4e-2)
    assert placed == pytest.approx(meshed, rel=4e-2)


def test_a_focus_from_outside_does_what_a_given_one_does() -> None:
    """Twice the field at all nodes."""
    contents = []
    for outside in (True, False):
        films = stack(layer("film", THICK, 2e-8, 1.2))
        focus = None if outside else (lambda points: np.full(len(points), 2.0))
        device = Device(films, model((film(focus),)), {"film": {"broken": START}})
        device.settle("as_given")
        if outside:
            count = len(device.volumes.node_region)
            device.system.set_outer(0, {FOCUS: np.full(count, 2.0)})
        ramp = Ramp((0.0, 1e-12, 1e-9), ((0.0, 0.0), *[(VOLTS, 0.0)] * 2))
        for _ in device.march(ramp, fixed=5e-10):
            pass
        contents.append(NodeFields(device.system).evaluate()["x broken [1]"])
    np.testing.assert_array_equal(*contents)
    assert contents[0].min() > 10.0 * START


VACANCY = Path(__file__).parents[2] / "cases" / "filament" / "vacancy.yaml"
GIVEN = "{formula: 1 + 2*exp(-(r/5e-9)**2), source: a bump}"


def test_a_file_gives_the_factor() -> None:
    case = load_case(VACANCY, [f"materials.HfO2.reactions.breaking.focus={GIVEN}"])
    (reaction,) = build_model(case).region("oxide").reactions
    assert reaction.focus is not None
    places = np.array([[0.0, 1e-9], [5e-9, 1e-9]])
    np.testing.assert_allclose(reaction.focus(places), [3.0, 1.0 + 2.0 / np.e])
    assert "reactions.breaking.focus" in [one.path for one in values_used(case)]
