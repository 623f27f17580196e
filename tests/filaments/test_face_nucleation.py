"""Nuclei on the faces of metals come at the rates of their laws, whatever steps and nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest, weibull_min

from ionstack.errors import InputError, NumericsError
from ionstack.geometry.stack import Lateral
from ionstack.models.model import BarrierScatter, ContactModel, NucleationModel, RegionModel
from ionstack.physics.constants import (
    BOLTZMANN,
    BOLTZMANN_EV,
    ELEMENTARY_CHARGE,
    VACUUM_PERMITTIVITY,
)
from ionstack.physics.extreme_values import area_factor, ramp_scale, weibull_mean
from ionstack.protocols.drive import Interval, Limit
from ionstack.randomness.random_events import Event, RandomEvents
from ionstack.randomness.random_streams import Stream
from ionstack.randomness.site_scatter import Scatter
from ionstack.solving.linear import LinearSolver
from ionstack.solving.network import Network, plain_circuit_of
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.face_nucleation import FaceNucleation, face_nucleation
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.films import bound, species
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]

THICK, RADIUS = 1e-8, 5e-8
AREA = np.pi * RADIUS**2
RATE, FIELD = 1e17, 2e8
TEMPERATURE = 300.0
LAW = bound("nucleation", "field_power", prefactor=RATE, nucleation_field=FIELD, field_exponent=2.0)
NAME = "top.nucleation"


def film(dimension: str = "1d", charge: float = 0.0, **changes: object) -> Device:
    """A film on whose top electrode nuclei form."""
    top = ContactModel("top", 0.0, {}, nucleation=replace(NucleationModel(LAW), **changes))
    lateral = Lateral("disc", 2.0 * RADIUS, None, None, 6, 1.0)
    films = stack(layer("film", THICK, THICK / 4), dimension=dimension, lateral=lateral)
    region = RegionModel("film", 4.0, charge, ())
    device = Device(films, model((region,), (), top))
    device.settle()
    return device


def nuclei(device: Device, seed: int = 0) -> FaceNucleation:
    network = Network(device.system, plain_circuit_of(device.system))
    (found,) = face_nucleation(device.system, network, seed)
    return found


RISE = 1e-9


@dataclass(frozen=True)
class Drive:
    """Voltages of top and bottom: up to `volts` in no time, and there until something ends it."""

    volts: float
    duration: float
    limits: tuple[Limit, ...] = ()

    @property
    def intervals(self) -> tuple[Interval, ...]:
        zero, there = np.zeros(2), np.array([self.volts, 0.0])
        held = Interval(self.duration, there, there, limits=self.limits)
        return Interval(RISE, zero, there), held


AWAITED = (Limit("event", 0.0, True, event=NAME, following=2),)
UP = Drive(1.0, RISE)


def run(device: Device, drive: Drive, seed: int = 0, **control: float) -> list[State]:
    system = device.system
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl())
    events = RandomEvents((nuclei(device, seed),), seed)
    return list(Stepper(system, newton, drive, StepControl(**control), events=events).run())


def told(states: list[State]) -> list[tuple[float, Event]]:
    """Times and events."""
    return [
        (state.time - (1.0 - event.share) * state.step, event)
        for state in states
        for event in state.events
    ]


def expected(volts: float) -> float:
    """Rate on the whole face."""
    return RATE * AREA * np.exp(-((FIELD * THICK / volts) ** 2))


@pytest.mark.parametrize(
    ("dimension", "area"), [("1d", AREA), ("axisymmetric", AREA), ("3d", AREA)]
)
def test_rates_add_up_to_that_of_the_face(dimension: str, area: float) -> None:
    device = film(dimension)
    list(device.march(UP, fixed=RISE))
    found = nuclei(device)
    rates = found.rates(np.array([1.0, 0.0, 0.0, 0.0]))
    assert rates.sum() == pytest.approx(expected(1.0), rel=1e-10)
    assert (np.diff(found.sites) > 0).all()


def test_the_outlook_says_what_the_rate_comes_from() -> None:
    """The likeliest place is where the field is highest; a power of the field has no size."""
    device = film("axisymmetric", focus=lambda points: 1.0 + (points[:, 0] < 1e-9))
    (*_, last) = device.march(UP, fixed=RISE)
    found = nuclei(device)
    outlook = found.outlook(last.circuit)
    assert outlook.rate == pytest.approx(found.rates(last.circuit).sum(), rel=1e-12)
    assert outlook.prefactor == pytest.approx(RATE, rel=1e-12)
    thermal = BOLTZMANN_EV * TEMPERATURE
    assert outlook.barrier == pytest.approx(thermal * (FIELD * THICK / 2.0) ** 2, rel=1e-9)
    assert np.isnan(outlook.size)


def test_the_crests_of_a_rough_face_multiply_the_field() -> None:
    device = film()
    (*_, last) = device.march(UP, fixed=RISE)
    found = nuclei(device)
    device.system.crests = {found._face.key: np.array([1.5])}
    assert found.rates(last.circuit).sum() == pytest.approx(expected(1.5), rel=1e-10)


@pytest.mark.parametrize("charge", [-3e25, 2e25])
def test_the_field_at_the_metal_is_its_charge(charge: float) -> None:
    """Gauss: the charge of the face over permittivity and area, also in a charged layer."""
    device = film(charge=charge)
    (*_, last) = device.march(UP, fixed=RISE)
    field = device.charges((1.0, 0.0))["top"] / (4.0 * VACUUM_PERMITTIVITY * AREA)
    (rate,) = nuclei(device).rates(last.circuit)
    assert abs(field - 1.0 / THICK) > 1e7
    assert rate == pytest.approx(RATE * AREA * np.exp(-((FIELD / field) ** 2)), rel=1e-9)


def test_focus_multiplies_the_field_of_its_place() -> None:
    device = film("axisymmetric", focus=lambda points: 1.0 + (points[:, 0] < 1e-8))
    (*_, last) = device.march(UP, fixed=RISE)
    plain = nuclei(film("axisymmetric"))
    area = plain._places.area
    factor = np.where(plain._where[:, 0] < 1e-8, 2.0, 1.0)
    right = RATE * area * np.exp(-((FIELD * THICK / factor) ** 2))
    np.testing.assert_allclose(nuclei(device).rates(last.circuit), right, rtol=1e-9)


@pytest.mark.parametrize("steps", [1, 23])
def test_under_constant_voltage_rate_times_time_is_the_threshold(steps: int) -> None:
    """Awaited or told within longer steps, it is the same instant."""
    threshold = float(Stream(3, "nucleation at top").exponential(nuclei(film()).sites, 0)[0])
    wait = threshold / expected(1.0)
    long = 1.0 / steps * 1.3 * wait
    held = Drive(1.0, 1.3 * wait)
    plain = told(run(film(), held, 3, fixed=long))
    states = run(film(), replace(held, limits=AWAITED), 3, fixed=long)
    assert plain[0][0] == pytest.approx(wait, rel=1e-7)
    assert states[-1].time == pytest.approx(wait, rel=2e-5)
    assert states[-1].ended is not None
    assert states[-1].events[-1][:2] == (NAME, 1.0)


def test_awaited_events_come_one_by_one_at_the_instants_of_those_that_are_told() -> None:
    """On a face of many nodes, whatever ends the steps; a site goes on after its event."""
    held = Drive(1.0, 4.0 / expected(1.0))
    short, long = (
        told(run(film("axisymmetric"), held, 5, fixed=held.duration / n)) for n in (40, 3)
    )
    assert len(long) >= 3
    assert [one.place for _, one in long] == [one.place for _, one in short]
    np.testing.assert_allclose([t for t, _ in long], [t for t, _ in short], rtol=1e-7)


def test_more_events_than_anyone_wants_are_an_error() -> None:
    with pytest.raises(NumericsError, match=r"top.nucleation.*until: event"):
        run(film(), Drive(1.0, 1e12 / expected(1.0)), fixed=1e12)


class Given:
    """A source of a given rate [1/s] at the voltage that stands for the circuit."""

    purpose, changes = "given", False

    def __init__(self, rate: Callable[[float], float], sites: int = 1) -> None:
        self._rate, self.sites = rate, np.arange(sites)

    def name(self, row: int) -> str:
        return "given"

    def rates(self, circuit):
        return np.full(len(self.sites), self._rate(float(circuit[0])))

    def told(self, row: int, share: float) -> Event:
        return Event("given", share, place=(float(row),))

    def after(self, row, circuit):
        return circuit


def first_event(rate: float, seed: int) -> float:
    """Instant of the first event at a constant rate, of one seed."""
    events = RandomEvents((Given(lambda _: rate),), seed)
    events.begin(np.zeros(1))
    found = events.next(30.0 / rate, np.ones(1), 0, {"given"})
    assert found is not None
    return found.share * 30.0 / rate


def test_an_event_put_off_by_round_off_comes_at_once() -> None:
    """Two sites due at nearly one instant: the first one ends the step, the other is late."""
    events = RandomEvents((Given(lambda _: 1.0, 2),), 0)
    memory = [{**one, "left": [-1e-9, 5.0]} for one in events.memory()]
    events.recall(memory)
    events.begin(np.zeros(1))
    found = events.next(1.0, np.ones(1), 0, {"given"})
    assert found is not None
    assert (found.row, found.share) == (0, 0.0)


def thresholds(rate: Callable[[float], float], steps: Floats, count: int) -> Floats:
    """Voltages of the first event at each of so many sites under a ramp of 1 V/s."""
    events, found = RandomEvents((Given(rate, count),), 1), np.full(count, np.inf)
    events.begin(steps[:1])
    for before, after in pairwise(steps):
        _, told_ = events.accept(after - before, np.array([after]), None)
        for event in told_:
            row = int(event.place[0])
            found[row] = min(found[row], before + event.share * (after - before))
    return found


def test_waits_of_many_seeds_are_exponential() -> None:
    rate = expected(1.0)
    found = [first_event(rate, seed) for seed in range(1000)]
    assert kstest(found, "expon", args=(0.0, 1.0 / rate)).pvalue > 0.01


def test_thresholds_under_a_ramp_are_those_of_the_hazard() -> None:
    """Of a power of the voltage: Weibull, and a mean that goes as area^(-1/k)."""
    shape, count = 20.0, 2000
    means = []
    for area in (1.0, 8.0):
        scale = ramp_scale(5.0, 1.0, 1.0, shape) * area_factor(area, shape)
        steps = np.linspace(0.3, 1.14 * scale, 160)
        found = thresholds(lambda v, rate=5.0 * area: rate * v ** (shape - 1.0), steps, count)
        assert kstest(found, weibull_min(shape, scale=scale).cdf).pvalue > 0.01
        means.append(found.mean() / float(weibull_mean(scale, shape)))
    np.testing.assert_allclose(means, 1.0, rtol=4.0 * 1.28 / shape / count**0.5)


def test_places_scatter_around_the_common_barrier() -> None:
    """Poisson numbers of places, and a mean rate raised by exp(s^2/2 (kT)^2)."""
    shift = 0.8 * BOLTZMANN * TEMPERATURE
    spread = BarrierScatter(3e17, Scatter("normal", shift))
    device = film("axisymmetric", scatter=spread)
    (*_, last) = device.march(replace(UP, volts=0.45), fixed=RISE)
    many = [nuclei(device, seed) for seed in range(60)]
    count = np.array([len(one.sites) for one in many])
    assert count.mean() == pytest.approx(3e17 * AREA, rel=4.0 / np.sqrt(count.sum()))
    assert count.var() == pytest.approx(3e17 * AREA, rel=0.6)
    assert all((np.diff(one.sites) > 0).all() for one in many)
    rate = many[0].rates(last.circuit).sum()
    raised = expected(0.45) * np.exp(0.5 * 0.8**2)
    assert rate == pytest.approx(raised, rel=3.0 * np.sqrt(np.exp(0.64) / count[0]))


def test_too_many_places_are_refused() -> None:
    spread = BarrierScatter(1e22, Scatter("normal", 0.0))
    with pytest.raises(InputError, match="lower the site_density"):
        nuclei(film(scatter=spread))


def test_affinity_is_overpotential_and_supersaturation() -> None:
    """Caps by the electrochemical potential of an ion against that of its metal."""
    numbers = {"face_sites": 1e19, "attempt_frequency": 1e10, "tension": 0.2}
    numbers |= {"atomic_volume": 1.7e-29, "contact_angle": 1.5, "chemical_potential": -0.1}
    law = replace(bound("nucleation", "cap", **numbers), couples="ion")
    ion = species("ion", 1, "lattice_gas", 1e26, bound("transport", "immobile"))
    top = ContactModel(
        "top", 0.0, {"ion": bound("contact", "blocking")}, nucleation=NucleationModel(law)
    )
    bottom = ContactModel("bottom", 0.0, {"ion": bound("contact", "blocking")})
    films = stack(layer("film", THICK, THICK / 4))
    laws = model((RegionModel("film", 4.0, -1e24, (ion,)),), (), top, bottom)
    device = Device(films, laws, {"film": {"ion": 0.01}})
    device.settle("as_given")
    found = nuclei(device)
    (rate,) = found.rates(np.zeros(4))
    kT = BOLTZMANN * TEMPERATURE
    affinity = kT * np.log(0.01 / 0.99) + 0.1 * ELEMENTARY_CHARGE
    assert affinity < 0.0
    assert rate == 0.0
    (rate,) = found.rates(np.array([-0.8, 0.0, 0.0, 0.0]))
    drive = (affinity + 0.8 * ELEMENTARY_CHARGE) / 1.7e-29
    cap = 0.25 * (2.0 + np.cos(1.5)) * (1.0 - np.cos(1.5)) ** 2
    barrier = cap * 16.0 * np.pi * 0.2**3 / (3.0 * drive**2)
    atoms = cap * 4.0 / 3.0 * np.pi * (0.4 / drive) ** 3 / 1.7e-29
    zeldovich = np.sqrt(barrier / (3.0 * np.pi * kT)) / atoms
    assert rate == pytest.approx(1e29 * zeldovich * np.exp(-barrier / kT), rel=1e-9)
    _, prefactor, energy, radius = found.outlook(np.array([-0.8, 0.0, 0.0, 0.0]))
    assert prefactor == pytest.approx(1e29 * zeldovich, rel=1e-9)
    assert energy == pytest.approx(barrier / ELEMENTARY_CHARGE, rel=1e-9)
    assert radius == pytest.approx(0.4 / drive, rel=1e-9)


def test_memory_is_all_that_counts() -> None:
    device = film("axisymmetric")
    (*_, last) = device.march(UP, fixed=RISE)
    one, other = (RandomEvents((nuclei(device),), 0) for _ in range(2))
    one.begin(last.circuit)
    _, early = one.accept(3.0 / expected(1.0), last.circuit.copy(), None)
    assert early
    other.recall(one.memory())
    after = last.circuit.copy()
    late = [events.accept(5.0 / expected(1.0), after, None)[1] for events in (one, other)]
    assert late[0] == late[1] != ()
    assert other.entries() == {f"events.{NAME}": len(early) + len(late[0])}
