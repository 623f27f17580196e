"""Equilibrium from a cold start: flat levels, no current, the amount that was given."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.assembly.node_fields import NodeFields
from ionstack.casefile.case import Case, load_case
from ionstack.errors import NumericsError
from ionstack.models.model import ContactModel, RegionModel
from ionstack.output import names
from ionstack.runs.preparation import Prepared
from ionstack.runs.simulation import equilibrium_current
from ionstack.solving.equilibrium import Equilibrium
from support.convergence import richardson_order
from support.devices import ANALOG, ORGANIC, SHORT, analog, owned, ready
from support.equilibria import DEVICES, everywhere, quantities
from support.films import bound, species
from support.launch import launch
from support.layers import Device, layer, model, stack

COMM = MPI.COMM_WORLD

FULL = ("stack.grading.first_cell=0.1 nm", "stack.grading.growth=1.35")
CASES = {
    "as shipped": lambda: load_case(ANALOG, SHORT),
    "coarse": analog,
    "cold": lambda: analog("temperature=230 K"),
    "hot": lambda: analog("temperature=400 K"),
    "lithium poor": lambda: analog(*_contents(0.02, 0.5, 0.03)),
    "lithium rich": lambda: analog(*_contents(0.8, 0.5, 0.62)),
    "one side empty": lambda: analog(*_contents(0.6, 0.5, 0.001)),
    "thin": lambda: analog(*(f"stack.layers.{k}.thickness=5 nm" for k in range(3)), *FULL),
    "axisymmetric": lambda: analog("stack.dimension=axisymmetric", "stack.lateral.cells=4"),
    "organic": lambda: load_case(ORGANIC),
    "organic hot": lambda: load_case(ORGANIC, ["temperature=350 K"]),
    "organic, much In": lambda: load_case(
        ORGANIC, ["content.pentacene.In+=1e-3", "content.P13.In+=1e-6"]
    ),
}


def _contents(*values: float) -> list[str]:
    layers = ("WO3", "LiPON", "MoO3")
    return [f"content.{name}.Li+={value}" for name, value in zip(layers, values, strict=True)]


@pytest.fixture(scope="module", params=CASES)
def prepared(request) -> Prepared:
    return ready(CASES[request.param](), COMM)


def test_electrochemical_potentials_are_constant(prepared):
    volumes = prepared.system.equations.volumes
    fields = NodeFields(prepared.system).evaluate()
    found: Equilibrium = prepared.equilibrium
    assert {group.species for group in found.groups} == set(prepared.case.valences)
    for group, level in zip(found.groups, found.levels, strict=True):
        regions = [volumes.regions.index(one) for one in group.regions]
        inside = np.isin(volumes.node_region, regions)
        psi = fields[names.electrochemical_potential(group.species)][inside]
        assert np.abs(psi - level).max(initial=0.0) < 1e-10
        assert not group.open or level == 0.0


def given(case: Case, name: str, volume: np.ndarray) -> float:
    """Number of particles that the case file puts in."""
    sites = [
        case.materials[layer.material].species[name].statistics.values["site_density"].value
        for layer in case.stack.layers
    ]
    contents = [case.contents[layer.name][name] for layer in case.stack.layers]
    return float(np.sum(np.array(sites) * contents * volume))


def test_closed_species_keep_the_given_total(prepared):
    system, case = prepared.system, prepared.case
    volume = np.array([case.stack.area * layer.thickness for layer in case.stack.layers])
    zero = np.zeros(system.layout.n_owned)
    amounts = system.evaluate(zero, 1.0, 0.0, np.zeros(2)).amounts
    closed = [group for group in prepared.equilibrium.groups if not group.open]
    assert closed
    for group in closed:
        found = COMM.allreduce(amounts[owned(system, group.species)].sum())
        assert found == pytest.approx(given(case, group.species, volume), rel=1e-12)


def test_poisson_is_solved(prepared):
    """Charge of the layers and of the metals cancel to round-off of the charge."""
    system = prepared.system
    zero = np.zeros(system.layout.n_owned)
    found = system.evaluate(zero, 1.0, 0.0, np.zeros(2))
    metals = COMM.allreduce(found.metal_charge)
    carriers = sum(
        z * COMM.allreduce(found.amounts[owned(system, name)].sum())
        for name, z in prepared.case.valences.items()
    )
    case = prepared.case
    fixed = sum(
        case.materials[layer.material].fixed_charge.value * case.stack.area * layer.thickness
        for layer in case.stack.layers
    )
    moving = COMM.allreduce(np.abs(found.amounts).sum())
    assert abs(metals.sum() + carriers + fixed) < 1e-11 * (moving + np.abs(metals).sum())


def test_no_current_in_equilibrium():
    prepared = ready(analog(coarse=False), COMM)
    still = equilibrium_current(prepared)
    largest = max(np.abs(state.currents).max() for state in prepared.stepper().run())
    assert largest > 1e-7
    assert still < 1e-12 * largest


def test_equilibrium_stays_when_nothing_is_applied():
    """A hold at 0 V: no unknown moves by more than round-off of its solution."""
    case = analog("protocol.0.sweep.amplitude=-1e-9 V", "protocol.1.sweep.amplitude=1e-9 V")
    prepared = ready(case, COMM)
    before = prepared.system.unknowns.getArray().copy()
    for state in prepared.stepper().run():
        assert np.abs(state.unknowns - before).max(initial=0.0) < 1e-8


def test_step_of_the_levels_at_the_organic_heterojunction():
    """Holes feel the step of 0.4 eV: their occupation falls by exp(-0.4/kT) across it."""
    prepared = ready(load_case(ORGANIC), COMM)
    volumes = prepared.system.equations.volumes
    occupied = NodeFields(prepared.system).evaluate()[names.site_fraction("h+")]
    K, L = volumes.pair_nodes.T
    odds = occupied / (1.0 - occupied)
    step = np.log(odds[K] / odds[L]) * prepared.system.thermal_voltage
    np.testing.assert_allclose(step, 0.4, atol=1e-9)


def test_more_lithium_than_electron_sites_is_refused():
    """MoO3 has 0.67 electron sites per lithium site: beyond, no neutral state exists."""
    with pytest.raises(NumericsError, match="no equilibrium found"):
        ready(analog(*_contents(0.9, 0.5, 0.9)), COMM)


def polarised(temperature, volts, content):
    """Two ions that nothing supplies, pulled into layers at both contacts."""
    hop = bound("transport", "site_hopping", diffusivity=1e-15)
    ions = tuple(species(name, z, "lattice_gas", 1e28, hop) for name, z in (("A", 1), ("B", -1)))
    contacts = (ContactModel("top", volts, {}), ContactModel("bottom", 0.0, {}))
    laws = model((RegionModel("film", 10.0, 0.0, ions),), (), *contacts, temperature=temperature)
    films = stack(layer("film", 2e-8, 1e-10, 1.3))
    return Device(films, laws, {"film": {"A": content, "B": content}})


@pytest.mark.parametrize("temperature", [77.0, 300.0])
@pytest.mark.parametrize("volts", [1.0, 4.0])
@pytest.mark.parametrize("content", [1e-8, 0.01, 0.999])
def test_a_cold_start_far_from_neutral_layers(temperature, volts, content):
    """Traces, and contents near full: amounts are exponentials of the levels."""
    device = polarised(temperature, volts, content)
    found = device.settle()
    assert len(found.conserved) == 2
    zero = np.zeros(device.layout.n_owned)
    amounts = device.system.evaluate(zero, 1.0, 0.0, np.zeros(2)).amounts
    for name in ("A", "B"):
        total = amounts[device.system.members(name, ("film",))].sum()
        assert total == pytest.approx(content * 1e28 * 2e-8, rel=1e-12)


@pytest.mark.parametrize("path", [ANALOG, ORGANIC])
@pytest.mark.parametrize("temperature", [77, 150])
def test_a_cold_start_at_low_temperature(path, temperature):
    cold = ready(load_case(path, [f"temperature={temperature} K"]), COMM)
    assert cold.equilibrium.newton_steps < 300


MESHES = (4, 8, 16)
# The two devices that differ most; the others are a longer proof.
TYPICAL = ("all_in_one/analog", "organic_heterojunction/first_sweep")
BY_NAME = [
    pytest.param(name, marks=[] if name in TYPICAL else [pytest.mark.long]) for name in DEVICES
]


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_equilibrium_converges_with_the_mesh(name, record_property):
    """Levels, built-in voltage and contents: exact, or second order in the size of the cells.

    Newton's method leaves 1e-11 V over, 4e-10 of a density; neutral layers have no other error.
    """
    rows = [quantities(*DEVICES[name](MPI.COMM_SELF, times)) for times in MESHES]
    assert len(rows[0]) > 5
    for key in rows[0]:
        values = [np.array([row[key]]) for row in rows]
        last = abs(values[-1] - values[-2]).item()
        if last <= 1e-9 * abs(values[-1].item()):
            continue
        found = richardson_order([1.0 / times for times in MESHES], values)
        record_property(key, found)
        assert found == pytest.approx(2.0, abs=0.1), key


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "devices"),
    [
        (2, TYPICAL),
        pytest.param(2, tuple(DEVICES), marks=pytest.mark.long),
        pytest.param(3, tuple(DEVICES), marks=pytest.mark.long),
    ],
)
def test_equilibrium_is_the_same_on_several_ranks(ranks, devices, tmp_path):
    file = tmp_path / "found.json"
    done = launch(ranks, ["-m", "support.equilibria", str(file), *devices])
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(file.read_text())
    assert found.keys() == set(devices)
    for name, expected in everywhere(MPI.COMM_SELF, devices).items():
        # Newton's method leaves 1e-11 V over, 4e-10 of a density.
        assert found[name] == pytest.approx(expected, rel=1e-9, abs=0.0), name
