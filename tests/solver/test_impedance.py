"""Small-signal admittances: exact circuits, diffusion, sines in time, laws that hold for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from ionstack.benchmarks.devices import diode_line, set_up
from ionstack.errors import InputError
from ionstack.models.model import ContactModel, DoubleLayer, InterfaceModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from ionstack.protocols.drive import Interval
from ionstack.solving.impedance import admittance, bordered, floated, impedance
from ionstack.solving.steady import Steady
from support.devices import analog, ready
from support.everything import CONTENTS, every_law, every_layer
from support.films import bound, species
from support.jacobians import disturb
from support.layers import Device, layer, model, stack

KT = thermal_voltage(300.0)
ZERO = np.zeros(2)
DOPING, DIFFUSIVITY, LENGTH = 1e22, 1e-4, 1e-6
CONDUCTIVITY = ELEMENTARY_CHARGE * DOPING * DIFFUSIVITY / KT
HOP = bound("transport", "sedan", diffusivity=DIFFUSIVITY)
ELECTRON = species("e-", -1, "boltzmann", 1e25, HOP, -4.0)
FILMS = stack(layer("upper", LENGTH, 5e-8), layer("lower", LENGTH, 5e-8))
EMPTY = RegionModel("lower", 20.0, 0.0, ())
UPPER, LOWER = (eps * VACUUM_PERMITTIVITY / LENGTH for eps in (5.0, 20.0))


def settled(layers, laws, contents=None):
    device = Device(layers, laws, contents)
    device.settle()
    return device


def two_port(y):
    """Admittance matrices of a device that is one element between two contacts."""
    return np.asarray(y)[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])


def close(found, expected, tolerance):
    """Every matrix agrees to a part of its largest entry."""
    error = np.abs(found - expected).max(axis=(1, 2))
    assert (error <= tolerance * np.abs(expected).max(axis=(1, 2))).all(), error


def test_two_insulators_are_capacitors_in_series():
    films = (RegionModel("upper", 5.0, 0.0, ()), EMPTY)
    device = settled(FILMS, model(films, (InterfaceModel(("upper", "lower"), {}),)))
    frequencies = np.array([1e-3, 1.0, 1e9])
    series = 1.0 / (1.0 / UPPER + 1.0 / LOWER)
    expected = two_port(2j * np.pi * frequencies * series)
    close(admittance(device.system, ZERO, frequencies), expected, 1e-12)


def wire(name, eps=11.7):
    return RegionModel(name, eps, DOPING, (ELECTRON,))


def ohmic(name, floating=False):
    return ContactModel(name, None, {"e-": bound("contact", "ohmic")}, None, floating)


def test_a_resistor_has_its_conductance_and_its_displacement_current():
    """Carriers at both contacts are held by the metals: conductance beside the capacitance."""
    device = settled(
        stack(layer("film", LENGTH, 5e-8)),
        model((wire("film"),), (), ohmic("top"), ohmic("bottom")),
    )
    frequencies = np.array([0.0, 1.0, 1e10, 1e12, 1e15])
    omega = 2.0 * np.pi * frequencies
    capacitance = 11.7 * VACUUM_PERMITTIVITY / LENGTH
    expected = CONDUCTIVITY / LENGTH + 1j * omega * capacitance
    close(admittance(device.system, ZERO, frequencies), two_port(expected), 1e-9)
    found = impedance(device.system, ZERO, frequencies, "top")
    np.testing.assert_allclose(found, 1.0 / expected, rtol=1e-9)


def test_a_conducting_film_on_an_insulator_is_its_resistor_in_series():
    """Electrons stop at the interface; screening is far thinner than a cell."""
    dense = species(
        "e-", -1, "boltzmann", 1e31, bound("transport", "sedan", diffusivity=1e-11), -4.0
    )
    films = (RegionModel("upper", 5.0, 1e29, (dense,)), EMPTY)
    device = settled(FILMS, model(films, (InterfaceModel(("upper", "lower"), {}),), ohmic("top")))
    conductance = ELEMENTARY_CHARGE * 1e29 * 1e-11 / KT / LENGTH
    omega = conductance / LOWER * np.array([0.1, 1.0, 10.0, 1000.0])
    upper = conductance + 1j * omega * UPPER
    expected = 1.0 / (1.0 / upper + 1.0 / (1j * omega * LOWER))
    found = admittance(device.system, ZERO, omega / (2.0 * np.pi))
    close(found, two_port(expected), 1e-6)


# Finite diffusion at w l^2/D; Z D/l: tanh(s)/s and coth(s)/s.
SHARES = np.array([0.1, 1.0, 10.0])
TANH = [0.9986688500 - 0.03327945357j, 0.8854508118 - 0.2869778728j, 0.2197819582 - 0.2297583806j]
COTH = [0.3333121714 - 10.00222201j, 0.3312380920 - 1.022012724j, 0.2272742220 - 0.2174056651j]
TRACE, SLOW = 1e21, 1e-12


def mixed_conductor(open_below):
    """Few ions among a million times more electrons: the potential is flat, and ions only diffuse.

    The top exchanges ions; the bottom exchanges ions as well, or electrons.
    """
    ion = species("ion", 1, "boltzmann", TRACE, bound("transport", "sedan", diffusivity=SLOW))
    electron = species("e-", -1, "boltzmann", 1e27, ion.transport)
    film = RegionModel("film", 10.0, 1e27, (ion, electron), neutral=True)
    passing = bound("contact", "exchange", exchange_current_density=1e5)
    plate = DoubleLayer(1e-11, 0.0, {"film": "e-"})
    top = ContactModel("top", 0.0, {"ion": passing}, plate)
    bottom = ContactModel("bottom", 0.0, {"ion" if open_below else "e-": passing}, plate)
    contents = {"film": {"e-": 1.0 + TRACE / 1e27}} if open_below else {}
    cells = 400 if open_below else 200
    layers = stack(layer("film", LENGTH, LENGTH / cells))
    return settled(layers, model((film,), (), top, bottom), contents)


@pytest.mark.parametrize("open_below", [False, True])
def test_finite_length_warburg(open_below):
    """Open on both sides the middle is at rest, as two halves with the other face held."""
    device = mixed_conductor(open_below)
    length, expected = (LENGTH / 2.0, TANH) if open_below else (LENGTH, COTH)
    frequencies = SHARES * SLOW / length**2 / (2.0 * np.pi)
    found = impedance(device.system, ZERO, frequencies, "top")
    resistance = KT * LENGTH / (ELEMENTARY_CHARGE * TRACE * SLOW)
    error = np.abs(found / resistance - expected) / np.abs(expected)
    assert error.max() < 5e-5, error


@dataclass(frozen=True)
class Wave(Interval):
    """A sine on the first contact."""

    frequency: float = 0.0
    amplitude: float = 0.0

    def levels(self, elapsed):
        return np.array([self.amplitude * np.sin(2.0 * np.pi * self.frequency * elapsed), 0.0])


@dataclass(frozen=True)
class Sine:
    """A drive of some periods of a sine."""

    frequency: float
    amplitude: float
    periods: int

    @property
    def intervals(self):
        end = self.periods / self.frequency
        return (Wave(end, ZERO, ZERO, frequency=self.frequency, amplitude=self.amplitude),)


def electrolyte():
    """Space charge of two ions between blocking contacts, twenty Debye lengths thick."""
    hop = bound("transport", "sedan", diffusivity=1e-12)
    ions = tuple(species(name, z, "boltzmann", 1e25, hop) for name, z in (("K+", 1), ("Cl-", -1)))
    debye, thickness = 2e-9, 4e-8
    eps = 2e25 * ELEMENTARY_CHARGE * debye**2 / (VACUUM_PERMITTIVITY * KT)
    device = settled(
        stack(layer("salt", thickness, 2e-10, 1.3)),
        model((RegionModel("salt", eps, 0.0, ions),)),
        {"salt": {"K+": 1.0, "Cl-": 1.0}},
    )
    return device, debye * thickness / 2.0 / 1e-12


def test_a_sine_in_time_gives_the_same():
    """1 mV, steps of 1/200 of a period: errors of (2 pi/200)^2/3 and of the amplitude."""
    device, time = electrolyte()
    frequency = 1.0 / (2.0 * np.pi * time)
    expected = admittance(device.system, ZERO, [frequency])[0, :, 0]
    states = device.drive(Sine(frequency, 1e-3, 3), fixed=1.0 / frequency / 200)[-200:]
    turns = np.exp(-2j * np.pi * frequency * np.array([state.time for state in states]))
    currents = np.array([state.currents for state in states])
    found = 2j * turns @ currents / len(states) / 1e-3
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    assert 0.2 < abs(expected[0].real / expected[0].imag) < 5.0


def test_a_device_in_equilibrium_is_reciprocal_and_passive():
    device = ready(analog())
    found = admittance(device.system, ZERO, np.geomspace(1e-4, 1e9, 14))
    largest = np.abs(found).max(axis=(1, 2))
    assert (np.abs(found.sum(axis=2)).max(axis=1) < 1e-9 * largest).all()
    close(found, found.transpose(0, 2, 1), 1e-9)
    hermitian = 0.5 * (found + found.conj().transpose(0, 2, 1))
    assert (np.linalg.eigvalsh(hermitian).min(axis=1) > -1e-9 * largest).all()


def bordered_matrix(system, voltages):
    values, rows, columns = bordered(system, voltages)
    size = system.layout.n_global + len(voltages)
    return csr_array(coo_array((values, (rows, columns)), shape=(size, size)))


def vanishes(product, scale):
    np.testing.assert_array_less(np.abs(product), 1e-12 * scale + 1e-300)


def test_voltages_are_relative_and_charge_is_conserved_with_every_kind_of_term():
    """Exact null vectors of the bordered matrix at 1/s, in a state far from equilibrium."""
    device = Device(every_layer(), every_law(), CONTENTS)
    device.settle("as_given")
    system, layout = device.system, device.layout
    disturb(system, 0.05)
    whole = bordered_matrix(system, np.array([0.3, -0.1]))
    valences = np.array([0, *(device.model.valences.get(one, 0) for one in layout.names)])
    charge, potential = valences[layout.field], layout.field == 0
    # Every voltage and potential shifts by 1 V, every unknown of a species by its valence.
    shift = np.concatenate([charge + potential, np.ones(2)])
    vanishes(whole @ shift, abs(whole) @ np.abs(shift))
    # Charge of all balances, rate of change of all space charge, and all currents.
    balances = np.where(potential, 1j, charge)
    free = system.balanced(np.ones(layout.n_owned))
    sums = np.concatenate([balances * free, np.ones(2)])
    vanishes(sums @ whole, np.abs(sums) @ abs(whole))


def test_the_limit_of_low_frequency_is_the_slope_of_the_steady_current():
    """A diode at 0.5 V forward."""
    diode = set_up(*diode_line(100), {})
    volts, small = 0.5, 1e-4
    names = diode.system.equations.volumes.contacts
    direction = np.array([float(name == "anode") for name in names])
    ends = [direction * one for one in (0.25, volts - small, volts + small, volts)]
    _, low, high, _ = Steady(diode.system, diode.newton).follow(ends)
    slope = (high.currents - low.currents) / (2.0 * small)
    found = admittance(diode.system, direction * volts, [0.0])[0] @ direction
    np.testing.assert_allclose(found.real, slope, rtol=1e-5)
    assert np.abs(found.imag).max() == 0.0


def test_floating_contacts_carry_no_current():
    device = settled(
        stack(layer("film", LENGTH, 5e-8)),
        model((wire("film"),), (), ohmic("top"), ohmic("bottom", floating=True)),
    )
    found = admittance(device.system, ZERO, [1.0, 1e12])
    assert np.abs(found).max() < 1e-9 * CONDUCTIVITY / LENGTH
    with pytest.raises(InputError, match=r"'bottom'.*top"):
        impedance(device.system, ZERO, [1.0], "bottom")


def test_a_floating_metal_joins_two_resistors():
    """Three resistors in a star between contacts; the third floats."""
    star = np.array([1.0, 2.0, 5.0])
    whole = np.diag(star) - np.outer(star, star) / star.sum()
    found = floated(whole.astype(complex), (2,))
    expected = np.zeros((3, 3))
    expected[:2, :2] = 2.0 / 3.0 * np.array([[1.0, -1.0], [-1.0, 1.0]])
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_what_cannot_be_solved_is_told():
    device, _ = electrolyte()
    for wrong in (-1.0, np.nan):
        with pytest.raises(InputError, match="frequencies"):
            admittance(device.system, ZERO, [wrong])
    assert admittance(device.system, ZERO, []).shape == (0, 2, 2)


def test_the_matrix_of_newtons_method_is_left_alone():
    device, _ = electrolyte()
    device.system.linearise(np.zeros(device.layout.n_owned), 1.5, 1e-3, ZERO)
    before = device.system.matrix.getValuesCSR()[2].copy()
    admittance(device.system, ZERO, [1.0])
    np.testing.assert_array_equal(device.system.matrix.getValuesCSR()[2], before)
