"""What the verification problems share: contact laws, steady states, starting contents."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.models.model import Arrhenius, BoundLaw
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.registry import Law
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from support.devices import Ramp
from support.films import Film

Floats = NDArray[np.float64]

AVOGADRO = 6.02214076e23
FARADAY = AVOGADRO * ELEMENTARY_CHARGE


def _reservoir(K, L, edge, p):
    return p["velocity"] * (K.c - p["density"])


def _injection(K, L, edge, p):
    return 0.0 * K.psi - p["rate"]


def _nernst(K, L, edge, p):
    return p["velocity"] * (K.c - p["density"] * jax.nn.sigmoid(L.psi - p["standard"]))


def _fick(K, L, edge, p):
    return jnp.asarray(p["diffusivity"] * (K.c - L.c))


def _local(kind, function, **values: float) -> BoundLaw:
    numbers = {name: Arrhenius(value, 0.0, 298.15) for name, value in values.items()}
    return BoundLaw(Law(kind, function.__name__, function, ()), numbers)


def reservoir(density: float, velocity: float) -> BoundLaw:
    """A contact that holds a density; `velocity` [m/s] far above those inside."""
    return _local("contact", _reservoir, density=density, velocity=velocity)


def injection(rate: float) -> BoundLaw:
    """A contact that injects particles at a given rate [1/(m^2 s)], whatever the state."""
    return _local("contact", _injection, rate=rate)


def nernst(density: float, velocity: float, standard: float = 0.0) -> BoundLaw:
    """Reversible electrode for z = 1: content 1/(1 + exp(-(V - V0)/VT)) of `density`."""
    return _local("contact", _nernst, density=density, velocity=velocity, standard=standard)


def fill(film: Film, contents: Mapping[str, Floats | float], phi: Floats | float = 0.0) -> None:
    """Put site fractions at the nodes and potentials [V] at the nodes, as a start.

    The species are in all regions with the same statistics and level, without excess.
    """
    u = np.zeros(film.layout.n_owned)
    u[film.layout.phi] = phi
    at_nodes = u[film.layout.phi]
    thermal = film.system.thermal_voltage
    for one in film.model.regions[0].species:
        x = np.asarray(contents[one.name])
        eta = np.log(x / (1.0 - x) if one.statistics.law.name == "lattice_gas" else x)
        u[film.layout.species[one.name]] = one.level + thermal * eta + one.z * at_nodes
    film.system.unknowns.setArray(u)


def contents(film: Film, name: str) -> Floats:
    """Site fractions at the nodes of a species as in `fill`."""
    u = film.system.local_unknowns()
    one = film.model.regions[0].held(name)
    bare = one.level + one.z * film.potential()
    eta = (u[film.layout.species[name]] - bare) / film.system.thermal_voltage
    return np.asarray(one.statistics.law.function(eta, {}, film.system.thermal_voltage).x)


def steady(film: Film, voltages: tuple[float, float], **control: float) -> Floats:
    """Solve for the steady state from the present one; currents into the contacts [A]."""
    newton = Newton(film.system, LinearSolver(film.system, "auto"), NewtonControl(**control))
    # Without the stored amounts what is left of the balances is the steady state.
    scheme = Scheme(np.zeros(film.layout.n_owned), 0.0, 1.0, np.array(voltages))
    result = newton.solve(scheme)
    assert result.outcome is Outcome.CONVERGED, result
    return np.asarray(-newton.evaluate(scheme).outflow * ELEMENTARY_CHARGE)


def hold(times: tuple[float, ...], voltages: tuple[float, float] = (0.0, 0.0)) -> Ramp:
    """Constant voltages, with breakpoints at 0 and the given times."""
    every = (0.0, *times)
    return Ramp(every, (voltages,) * len(every))
