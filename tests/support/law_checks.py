"""One law on a batch of states, by itself and through the terms, and what it must obey.

`Subject` holds the law; every check returns a dimensionless violation per state, so
that the same check can accept a registered law and refuse a deliberately wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly import terms
from ionstack.models import carriers
from ionstack.models.model import Arrhenius, BoundLaw, RegionModel, SpeciesModel
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.registry import Law, Parameter
from ionstack.physics.states import Carrier, Edge, Gap
from ionstack.reading.law_choice import ACTIVATED_UNITS

Floats = NDArray[np.float64]

TEMPERATURE = 320.0
THERMAL = BOLTZMANN_EV * TEMPERATURE
LENGTH = 1.5e-9
SITES = 1e27

# Values of parameters by name, else by unit; a new law is tested without further ado.
_BY_NAME = {
    "optical_permittivity": 9.0,
    "critical_content": 0.6,
    "barrier": 0.11,
    "width": 0.08,
    "jump_length": 3e-10,
    "dipole_length": 1e-10,
    "healing_share": 0.3,
    "attempt_frequency": 1e13,
    "anisotropy": 1.0,
    "transfer_coefficient": 0.3,
    "chemical_potential": 0.0,
    "barrier_height": 1.1,
    "lower_content": 1e-3,
    "upper_content": 0.999,
    "field_factor": 5e-4,
    "gradient_energy": 0.0,
    "relative_permittivity": 4.0,
}
_BY_UNIT = {
    "m^2/s": 1e-14,
    "S/m": 1e-6,
    "S/m^2": 2.0,
    "A/m^2": 10.0,
    "eV": 0.3,
    "m": 1e-7,
    "m/s": 1e-2,
    "1": 0.4,
    "1/m^3": SITES,
    "1/m^2": 1e5,
    "1/s": 1e13,
    "eV*m^2": 1e-20,
    "eV*m": 1e-11,
    "m^2/(V*s)": 1e-9,
    "(m/V)**0.5": 5e-4,
    "1/(m^3*s)": 1e30,
    "s": 1e-8,
}
# Curves by unit, of content and temperature.
_CURVES = {"S/m": lambda x, T: 1e-6 * (1.0 + x * x), "V": lambda x, T: 3.0 - x + 1e-4 * T}
# In the middle of a narrow gap.
GAP = Gap(5e-10, 0.5, 0.8)
EXTREMES = (0.0, 1e-12, -1e-12, 1.0, -1.0, 40.0, -40.0, 800.0, -800.0)
# exp(800) is no double: Boltzmann densities and sinh(drop/2) end before. Excess laws
# are made for site fractions up to 1, hence eta up to 1 where nothing bounds them.
LARGEST_ETA = {"boltzmann": 40.0}
LARGEST_ETA_WITH_EXCESS = {"boltzmann": 1.0, "fermi_dirac_half": 1.0}
LARGEST_DROP = 1400.0
# One batch size for all states: every law is compiled once.
COUNT = len(EXTREMES) ** 3


def numbers(parameters: tuple[Parameter, ...]) -> dict[str, float]:
    """Plausible values of a law's parameters."""
    return {one.name: _BY_NAME.get(one.name, _BY_UNIT[one.unit]) for one in parameters}


def curves(law: Law) -> dict[str, Callable[..., Any]]:
    """Plausible curves of a law."""
    return {one.name: _CURVES[one.unit] for one in law.curves}


def values(law: Law) -> dict[str, Any]:
    """Everything that a law is given."""
    return {**numbers(law.parameters), **curves(law)}


@dataclass(frozen=True)
class States:
    """Ends K and L of edges, pairs or contacts: arrays (2, n), potentials in kT.

    `eta` of the species itself, `phi`, and `ion`, the eta of the coupled species.
    """

    eta: Floats
    phi: Floats
    ion: Floats


def random_states(statistics: str, count: int = COUNT, seed: int = 1) -> States:
    """States with densities over many decades and drops from 0.01 to about 20 kT."""
    draw = np.random.default_rng(seed)
    top = 3.0 if statistics == "boltzmann" else 20.0
    eta = draw.uniform(-25.0, top, (2, count))
    phi = draw.uniform(-60.0, 60.0, (2, count))
    drop = draw.choice([-1.0, 1.0], count) * 10.0 ** draw.uniform(-2.0, 1.3, count)
    # z = 1 and no excess: psi_K - psi_L = drop.
    phi[1] = phi[0] + eta[0] - eta[1] - drop
    return States(eta, phi, draw.uniform(-3.0, 3.0, (2, count)))


def moving_states(subject: Subject, states: States) -> States:
    """States with a drop above 0.01 kT, the others replaced: excess terms shift the drops.

    Near rest the modulus of the force has a curvature that difference quotients miss.
    """
    K, L = subject.carriers(states)
    moving = np.flatnonzero(np.abs(np.asarray(K.psi - L.psi)) > 0.01)
    index = np.resize(moving, states.eta.shape[1])
    return States(*(part[:, index] for part in _parts(states)))


def extreme_states(subject: Subject) -> States:
    """All combinations of extreme chemical potentials and potential differences.

    Left out is what has no double value; other states are repeated in their place.
    """
    limits = LARGEST_ETA_WITH_EXCESS if subject.excess else LARGEST_ETA
    largest = limits.get(subject.statistics, np.inf)
    cases = np.array(
        [case for case in product(EXTREMES, EXTREMES, EXTREMES) if max(case[:2]) <= largest]
    )
    cases = np.resize(cases, (COUNT, 3))
    K, L = subject.carriers(_drops(cases))
    drop = np.abs(np.asarray(K.psi - L.psi))
    return _drops(np.resize(cases[drop <= LARGEST_DROP], (COUNT, 3)))


def _drops(cases: Floats) -> States:
    eta_k, eta_l, rise = cases.T
    eta = np.stack([eta_k, eta_l])
    return States(eta, np.stack([np.zeros_like(rise), rise]), np.zeros_like(eta))


@dataclass(frozen=True)
class Subject:
    """A law with the statistics and excess of the species that it moves."""

    law: Law
    statistics: str
    excess: str | None = None
    z: int = 1

    def carriers(self, states: States) -> tuple[Carrier, Carrier]:
        """Carriers at both ends, by hand and not through the terms."""
        K, L = (self.carrier(*(part[end] for part in _parts(states))) for end in (0, 1))
        return K, L

    def carrier(self, eta: Floats, phi: Floats, ion: Floats) -> Carrier:
        """Carrier at reduced potentials; `ion` is the eta of the coupled species."""
        statistics = laws("statistics")[self.statistics]
        given = numbers(statistics.parameters)
        x, vacancy, log_gamma = statistics.function(jnp.asarray(eta), given, THERMAL)
        shift = jnp.zeros_like(x)
        if self.excess is not None:
            entry = laws("excess")[self.excess]
            shift = entry.function(x, values(entry), THERMAL)
        bare = self.z * phi + shift
        coupled = jax.nn.sigmoid(ion) if self.law.couples else jnp.zeros_like(x)
        psi, sites = bare + eta, SITES * jnp.ones_like(x)
        drift = bare + log_gamma
        return Carrier(SITES * x, x, vacancy, psi, drift, bare, coupled, phi, sites)

    def flow(self, K: Carrier, L: Carrier) -> Floats:
        """Flow from K to L, in the law's unit."""
        return np.asarray(self._flow(K, L))

    @cached_property
    def _flow(self) -> Callable[[Carrier, Carrier], jax.Array]:
        edge = Edge(jnp.asarray(LENGTH), jnp.asarray(THERMAL), jnp.asarray(float(self.z)), gap=GAP)
        given = values(self.law)
        return jax.jit(lambda K, L: self.law.function(K, L, edge, given) + 0.0 * K.psi)

    @cached_property
    def assembled(self) -> Callable[[Mapping[str, jax.Array]], tuple[jax.Array, list[jax.Array]]]:
        """Value and derivatives as the solver forms them, from unknowns of nodes K then L."""
        return jax.jit(self._assembled)

    def _assembled(self, u: Mapping[str, jax.Array]) -> tuple[jax.Array, list[jax.Array]]:
        region = self.region()
        count = u["phi"].shape[0] // 2
        first, second = jnp.arange(count), count + jnp.arange(count)
        own = {name: value for name, value in u.items() if name != "voltage"}
        batch = carriers.node_batch(region, self._numbers(), jnp.asarray(TEMPERATURE), own, {})
        entities = {
            "K": first,
            "L": second,
            "factor": 1.0,
            "area": 1.0,
            "length": jnp.full(count, LENGTH),
            "through": jnp.ones(count),
            "inner": second,
            "inner_length": jnp.full(count, LENGTH),
        }
        outer = ({carriers.GAP: jnp.asarray(GAP)},)
        arrays = {"edges": [entities], "pairs": [entities], "faces": [entities], "outer": outer}
        temperature = jnp.asarray(TEMPERATURE)
        voltages = u["voltage"][None, :count]
        state = terms.State((batch,), arrays, self._numbers(), temperature, voltages)
        return self._term(region)(state)

    def _term(self, region: RegionModel) -> Callable[..., Any]:
        law = self.bound()
        if self.law.kind == "transport":
            return terms.flux("law", 0, region, "own", law)
        if self.law.kind == "interface":
            return terms.pair_flow("law", 0, ((0, region), (0, region)), "own", law)
        return terms.contact_flow("law", 0, 0, (0, region), "own", law)

    def inputs(self) -> list[tuple[int, str]]:
        """End (0 = K, 1 = L) and unknown of every derivative, in the order of `assembled`."""
        names = carriers.law_inputs(self.region(), "own", self.bound())
        ends = (0,) if self.law.kind == "contact" else (0, 1)
        found = [(end, name) for end in ends for name in names]
        if self.law.kind != "contact":
            return found
        inner = [(1, "phi")] if self.law.field else []
        return [*found, (0, "voltage"), *inner]

    def bound(self) -> BoundLaw:
        """The law as the model binds it."""
        couples = "ion" if self.law.couples else None
        return BoundLaw(self.law, _records(self.law), couples, curves(self.law))

    def region(self) -> RegionModel:
        """A region that holds the species and an ion to couple to."""
        excess = None if self.excess is None else laws("excess")[self.excess]
        bound = None if excess is None else BoundLaw(excess, _records(excess), None, curves(excess))
        own_statistics, lattice = (
            BoundLaw(laws("statistics")[name], _records(laws("statistics")[name]))
            for name in (self.statistics, "lattice_gas")
        )
        idle = BoundLaw(laws("transport")["sedan"], {})
        own = SpeciesModel("own", self.z, -0.2, SITES, own_statistics, bound, idle)
        ion = SpeciesModel("ion", 1, 0.1, SITES, lattice, None, idle)
        return RegionModel("film", 10.0, 0.0, (own, ion))

    def _numbers(self) -> dict[str, Any]:
        region = self.region()
        found: dict[str, Any] = {"law": _records(self.law)}
        for one in region.species:
            found[f"film/{one.name}"] = {"level": one.level, "site_density": one.site_density}
            found[f"film/{one.name}/statistics"] = one.statistics.numbers
            if one.excess is not None:
                found[f"film/{one.name}/excess"] = one.excess.numbers
        return found

    def unknowns(self, states: States) -> dict[str, Floats]:
        """Unknowns [V] of nodes K then L, as `Layout` defines them."""
        eta, phi, ion = (part.reshape(-1) for part in _parts(states))
        own, other = self.region().species
        return {
            "phi": THERMAL * phi,
            "own": own.level + THERMAL * (eta + own.z * phi),
            "ion": other.level + THERMAL * (ion + other.z * phi),
            "voltage": np.full_like(phi, 0.3),
        }


def _parts(states: States) -> tuple[Floats, Floats, Floats]:
    return states.eta, states.phi, states.ion


def _records(law: Law) -> dict[str, Arrhenius]:
    """Numbers as the model binds them, activated where files allow it."""
    found = numbers(law.parameters)
    units = {one.name: one.unit for one in law.parameters}
    activated = {name: 0.1 if units[name] in ACTIVATED_UNITS else 0.0 for name in found}
    return {name: Arrhenius(value, activated[name], 298.15) for name, value in found.items()}


def derivative_error(subject: Subject, states: States) -> Floats:
    """Derivatives against central differences, over the largest derivative of the state.

    The better of two step sizes: a law may bend sharply within one of them.
    """
    return np.minimum(*(_derivative_error(subject, states, size) for size in (1e-5, 1e-6)))


def _derivative_error(subject: Subject, states: States, size: float) -> Floats:
    u = subject.unknowns(states)
    step = size * THERMAL
    value, slopes = subject.assembled(u)
    exact = np.array(slopes)
    count = states.eta.shape[1]
    found = np.empty_like(exact)
    for row, (end, name) in enumerate(subject.inputs()):
        shift = np.zeros(2 * count)
        shift[end * count : (end + 1) * count] = step
        above, below = (
            np.asarray(subject.assembled(u | {name: u[name] + sign * shift})[0])
            for sign in (1.0, -1.0)
        )
        found[row] = (above - below) / (2.0 * step)
    scale = np.abs(exact).max(axis=0)
    # Potentials of 100 kT and their exponentials carry about 100 times the last bit.
    noise = 5e-14 * np.abs(np.asarray(value)) / step
    error = np.maximum(np.abs(found - exact).max(axis=0) - noise, 0.0)
    return np.asarray(error / np.where(scale > 0.0, scale, 1.0))


def missing_dependence(subject: Subject, states: States) -> Floats:
    """Change of the flow with unknowns that the law does not declare (0 if none)."""
    u = subject.unknowns(states)
    count = states.eta.shape[1]
    value = np.asarray(subject.assembled(u)[0])
    worst = np.zeros(count)
    # Of the metal's end only the next node's potential exists.
    ends = (0,) if subject.law.kind == "contact" else (0, 1)
    for end, name in {(end, name) for end in ends for name in u} - set(subject.inputs()):
        shift = np.zeros(2 * count)
        shift[end * count : (end + 1) * count] = THERMAL
        changed = np.asarray(subject.assembled(u | {name: u[name] + shift})[0])
        worst = np.maximum(worst, np.abs(changed - value))
    return worst


def asymmetry(subject: Subject, states: States) -> Floats:
    """flow(K, L) + flow(L, K), over the larger of both."""
    K, L = subject.carriers(states)
    forth, back = subject.flow(K, L), subject.flow(L, K)
    scale = np.maximum(np.abs(forth), np.abs(back))
    return np.abs(forth + back) / np.where(scale > 0.0, scale, 1.0)


def flow_in_equilibrium(subject: Subject, states: States) -> Floats:
    """Flow at equal electrochemical potentials, over that at a difference of one kT."""
    K, L = subject.carriers(states)
    L = L._replace(psi=K.psi, drift=L.drift + (K.psi - L.psi), bare=L.bare + (K.psi - L.psi))
    still = np.abs(subject.flow(K, L))
    raised = K._replace(psi=K.psi + 1.0, drift=K.drift + 1.0, bare=K.bare + 1.0)
    moving = np.abs(subject.flow(raised, L))
    return still / np.where(moving > 0.0, moving, 1.0)


def wrong_direction(subject: Subject, states: States) -> Floats:
    """1 where the flow runs up the electrochemical potential, else 0."""
    K, L = subject.carriers(states)
    return np.asarray(subject.flow(K, L) * np.asarray(K.psi - L.psi) < 0.0, dtype=float)


def not_finite(subject: Subject, states: States) -> Floats:
    """1 where value or a derivative is not finite, else 0."""
    value, slopes = subject.assembled(subject.unknowns(states))
    good = np.isfinite(np.array([value, *slopes])).all(axis=0)
    return np.asarray(~good, dtype=float)


def mutated(subject: Subject, change: Callable[..., Any]) -> Subject:
    """Return the subject with ``change(function)`` in place of the law's function."""
    wrong = replace(subject.law, function=change(subject.law.function))
    return replace(subject, law=wrong)
