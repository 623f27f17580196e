"""Electric power in is heat out, and heat feeds back on what it is made by."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.casefile.case import load_case
from ionstack.models.heat_model import HeatModel, Medium, Sink
from ionstack.models.model import ContactModel, RegionModel
from ionstack.physics.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from ionstack.runs.preparation import prepare
from ionstack.solving.newton import Outcome, Scheme
from ionstack.stepping.companions import Companions
from support.devices import ROOT
from support.films import bound, species
from support.heated import LENGTH, START, HeatedDevice, activated, heat_model, resistor, slab
from support.layers import Device, model

DIODE = ROOT / "cases" / "basics" / "pn_diode.yaml"
HEATED = (
    "materials.silicon.thermal_conductivity={value: 148 W/(m K), source: textbook}",
    "materials.silicon.heat_capacity={value: 1.66e6 J/(m^3 K), source: textbook}",
    "heat.contacts.cathode={kind: substrate, conductivity: {value: 148 W/(m K), source: textbook}}",
)


def balances(power: float, field) -> None:
    """Power in, heat made and heat out agree."""
    assert field.generated == pytest.approx(power, rel=1e-8)
    assert field.out.sum() == pytest.approx(power, rel=1e-8)
    assert field.entries()["heat.closure"] < 1e-8


def test_current_times_voltage_is_the_heat_of_electrons():
    device = Device(slab(), resistor(1e3, 0.05), {"film": {"e-": 0.1}})
    sinks = {"top": Sink(1e9), "bottom": Sink(inf, 1e-8)}
    heated = HeatedDevice(device, heat_model(sinks=sinks))
    assert heated.steady(0.3, 0.0) > 2
    assert 1.0 < heated.field.highest < 100.0
    balances(heated.power, heated.field)
    # A little more than that of the cold film.
    assert 1.0 < heated.power / (0.3**2 * 1e3 / LENGTH) < 1.2


def test_a_resistor_warms_as_in_closed_form():
    """Constant conductivity: uniform source between cold faces, L^2 S/8k in the middle."""
    device = Device(slab(), resistor(1e3), {"film": {"e-": 0.1}})
    heated = HeatedDevice(device, heat_model())
    heated.steady(0.2, 0.0)
    source = 1e3 * (0.2 / LENGTH) ** 2
    assert heated.field.highest == pytest.approx(source * LENGTH**2 / (8.0 * 2.0), rel=1e-8)


def test_current_times_voltage_is_the_heat_of_ions_that_are_exchanged():
    """Ions pass from metal to metal through a film with activated hopping and kinetics."""
    hop = activated(bound("transport", "site_hopping", diffusivity=1e-12), 0.4)
    ion = species("M+", 1, "lattice_gas", 1e27, hop)
    film = RegionModel("film", 10.0, -5e26, (ion,))
    kinetics = {"exchange_current_density": 1e5, "transfer_coefficient": 0.4}
    law = bound("contact", "butler_volmer", **kinetics, chemical_potential=0.0)
    metals = [ContactModel(name, 0.0, {"M+": activated(law, 0.3)}) for name in ("top", "bottom")]
    laws = replace(model((film,), (), *metals, temperature=START), heated=True)
    device = Device(slab(20, length=10e-9), laws)
    sinks = {"top": Sink(1e4), "bottom": Sink(inf, 3e-4)}
    heated = HeatedDevice(device, heat_model(sinks=sinks), tolerance=1e-12)
    for volts in (0.1, 0.2, 0.3):
        heated.field.generated, heated.field.out = 0.0, np.zeros(2)
        assert heated.steady(volts, 0.0) > 1
    assert heated.field.highest > 0.5
    balances(heated.power, heated.field)


@pytest.fixture(scope="module")
def diode():
    """The p-n diode with recombination over traps, on silicon."""
    return prepare(load_case(DIODE, [*HEATED, "heat.balance=steady"]), MPI.COMM_SELF)


def test_current_times_voltage_is_the_heat_of_a_diode(diode):
    (field,) = diode.companions
    companions = Companions(diode.newton, diode.companions)
    for volts in (0.2, 0.4, 0.5, 0.6, 0.7):
        size = diode.system.layout.n_owned
        scheme = Scheme(np.zeros(size), 0.0, 1.0, np.array([volts, 0.0]))
        field.generated, field.out = 0.0, np.zeros(2)
        assert companions.solve(scheme).outcome is Outcome.CONVERGED
        companions.accept()
    outflow = diode.newton.evaluate(scheme).outflow
    balances(float(-outflow @ scheme.voltages * ELEMENTARY_CHARGE), field)


def test_a_layer_runs_away_above_the_threshold_of_its_closed_form():
    """Voltage-driven, activated, cooled at one face, so thin that it has one temperature.

    Heat made, V^2 sigma/L, touches heat given away, h (T - T0), where kT^2/E = T - T0.
    """
    energy, sigma, transfer, length = 0.5, 1.0, 1e4, 10e-9
    unit = BOLTZMANN_EV / energy
    touch = (1.0 - sqrt(1.0 - 4.0 * unit * START)) / (2.0 * unit)
    boost = np.exp(-(1.0 / touch - 1.0 / START) / unit)
    critical = sqrt(transfer * length * (touch - START) / (sigma * boost))
    laws = HeatModel(
        START, {"film": Medium(2.0)}, {"bottom": Sink(transfer)}, steady=True, tolerance=1e-3
    )

    def rises(volts: float) -> float | None:
        device = Device(slab(4, length=length), resistor(sigma, energy), {"film": {"e-": 0.1}})
        heated = HeatedDevice(device, laws)
        return heated.field.highest if heated.steady(volts, 0.0, rounds=150) > 0 else None

    below = rises(0.997 * critical)
    assert below is not None
    assert 0.7 * (touch - START) < below < touch - START
    above = rises(1.003 * critical)
    # On the far side of the fold only the saturated branch is left, hundreds of kelvin up.
    assert above is None or above > 5.0 * (touch - START)
