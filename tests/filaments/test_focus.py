"""An electrode with a bump: field at its tip, thresholds with it in the mesh or as a factor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.geometry.stack import PROFILE, Lateral, load_stack
from ionstack.models.model import ContactModel, NucleationModel, RegionModel
from ionstack.models.place_profile import Profile
from ionstack.physics.needles import depolarisation
from ionstack.protocols.drive import Interval
from ionstack.reading.curve_choice import read_curve
from ionstack.solving.network import Network, plain_circuit_of
from ionstack.stepping.face_nucleation import face_nucleation
from support.films import bound
from support.launch import launch
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]

RADIUS, THICK, EXTENT = 1e-8, 2e-7, 2e-7
RATE, FIELD = 1e17, 1e8
LAW = bound("nucleation", "field_power", prefactor=RATE, nucleation_field=FIELD, field_exponent=2.0)
SPHEROID = "{height}*sqrt(max(1 - (r/1e-8)**2, 0))"


class Up:
    """One volt in no time."""

    intervals = (Interval(1e-9, np.zeros(2), np.array([1.0, 0.0])),)


class Bumped:
    """A wide film at 1 V, with a bump of the top electrode, in a mesh so many times as fine."""

    def __init__(self, rise: str | None, fine: float, focus: Profile | None = None) -> None:
        cell = 2e-9 / fine if rise else THICK / 4
        films = stack(
            layer("film", THICK, cell, 1.0 + 0.4 / fine),
            dimension="axisymmetric",
            lateral=Lateral("disc", 2.0 * EXTENT, None, None, round(10 * fine), 1.0),
        )
        if rise:
            curve = read_curve({"formula": rise, "unit": "m", "source": "test"}, PROFILE)
            films = replace(films, top=replace(films.top, profile=curve))
        top = ContactModel("top", 0.0, {}, nucleation=NucleationModel(LAW, focus))
        self.device = Device(films, model((RegionModel("film", 4.0, 0.0, ()),), (), top))
        self.device.settle()
        (*_, last) = self.device.march(Up(), fixed=1e-9)
        system = self.device.system
        (self.faces,) = face_nucleation(system, Network(system, plain_circuit_of(system)), 0)
        rates = self.faces.rates(last.circuit)
        self.area = self.faces._places.area
        # Field over that of a plane film, from the law's own formula.
        log = np.log(RATE * self.area / np.maximum(rates, 1e-280))
        self.factor = FIELD / np.sqrt(log) * THICK
        self.radius, self.depth = self.faces._where.T

    @property
    def tip(self) -> float:
        return float(self.factor[np.argmax(self.depth - self.radius)])


def test_half_a_sphere_has_three_times_the_field() -> None:
    """E = 3 E0 cos(theta) on it; errors fall by 2.5 at least when all cells are halved."""
    errors = []
    for fine in (1, 2, 4):
        one = Bumped(SPHEROID.format(height=RADIUS), fine)
        upper = one.depth > 0.5 * RADIUS
        right = 3.0 * one.depth[upper] / RADIUS
        weights = one.area[upper]
        errors.append(np.sqrt(np.average((one.factor[upper] - right) ** 2, weights=weights)))
        assert len(one.device.volumes.negative_edges) <= 6
    assert errors[0] > 2.5 * errors[1] > 6.25 * errors[2]
    assert one.tip == pytest.approx(3.0, rel=5e-3)
    assert one.area.sum() == pytest.approx(np.pi * (EXTENT**2 + RADIUS**2), rel=1e-3)


def test_half_a_spheroid_has_the_field_of_its_depolarisation() -> None:
    tip = Bumped(SPHEROID.format(height=2.0 * RADIUS), 4).tip
    assert tip == pytest.approx(1.0 / float(depolarisation(2.0)), rel=1.5e-2)


def hemisphere(points: Floats) -> Floats:
    """Field on the plane below and around half a sphere, over that far away."""
    ratio = np.maximum(points[:, 0], 1e-12) / RADIUS
    return np.where(ratio < 1.0, 3.0 * np.sqrt(np.maximum(1.0 - ratio**2, 0.0)), 1.0 - ratio**-3.0)


def thresholds(one: Bumped, prefactor: float) -> tuple[float, float]:
    """Mean and variation of the first event under a ramp of 1 V/s; fields go as the voltage."""
    volts = np.linspace(0.01, 60.0, 6000)
    size = FIELD * THICK / np.maximum(one.factor, 1e-3)
    rate = prefactor * (one.area[:, None] * np.exp(-((size[:, None] / volts) ** 2))).sum(axis=0)
    hazard = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(volts))])
    density = rate * np.exp(-hazard)
    mean = np.trapezoid(volts * density, volts)
    return float(mean), float(np.sqrt(np.trapezoid((volts - mean) ** 2 * density, volts)) / mean)


def test_thresholds_with_a_factor_are_those_with_the_mesh() -> None:
    """To 1 %: the bump has more area than its shadow, where the field is not largest."""
    meshed = Bumped(SPHEROID.format(height=RADIUS), 4)
    # Nodes every nanometre resolve the factor; the plane film needs no fine cells.
    factor = Bumped(None, 20, hemisphere)
    plain = Bumped(None, 1)
    for prefactor in (1e22, 1e28):
        mesh, fact, flat = (thresholds(one, prefactor) for one in (meshed, factor, plain))
        assert fact[0] == pytest.approx(mesh[0], rel=1e-2)
        assert fact[1] == pytest.approx(mesh[1], rel=5e-2)
        # Fewer places compete under a bump: the threshold falls, and its spread grows.
        assert mesh[0] < 0.5 * flat[0]
        assert mesh[1] > 1.1 * flat[1]


def test_a_profile_that_leaves_its_layer_is_refused() -> None:
    with pytest.raises(InputError, match=r"electrode top.*does not fit into the 2e-07 m"):
        Bumped("3e-7*exp(-(r/1e-8)**2)", 1)


@pytest.mark.parametrize(
    ("dimension", "extra", "answer"),
    [
        ("1d", "", "needs dimension axisymmetric or 2d, found 1d"),
        ("2d", "mesh_file: film.msh", "not allowed beside mesh_file"),
    ],
)
def test_a_profile_needs_a_mesh_of_its_own(tmp_path: Path, dimension, extra, answer) -> None:
    thickness = "" if extra else ", thickness: 10 nm"
    (tmp_path / "film.msh").write_text("$MeshFormat")
    (tmp_path / "stack.yaml").write_text(
        f"dimension: {dimension}\n{extra}\n"
        f"layers:\n  - {{name: film, material: SiO2{thickness}}}\n"
        "electrodes:\n  top: {name: a, material: Ag, profile: {value: 1 nm, source: x}}\n"
        "  bottom: {name: b, material: Pt}\nlateral: {shape: rectangle, width: 1 um, depth: 1 um}\n"
    )
    with pytest.raises(InputError, match=answer):
        load_stack(tmp_path / "stack.yaml")


@pytest.mark.slow
def test_the_same_nuclei_on_every_number_of_ranks(tmp_path: Path) -> None:
    """Which places have an event, and when, with barriers of their own."""
    found = []
    for ranks in (1, 2):
        path = tmp_path / f"{ranks}.json"
        done = launch(ranks, ["-m", "support.nuclei_on_ranks", str(path)])
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(np.array(json.loads(path.read_text())))
    assert len(found[0]) > 3
    np.testing.assert_array_equal(found[0][:, 1:], found[1][:, 1:])
    np.testing.assert_allclose(found[0][:, 0], found[1][:, 0], rtol=1e-9)
