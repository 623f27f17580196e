"""Densities and potentials at the nodes of a region, with tangents along its unknowns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ionstack.models.model import Arrhenius, BoundLaw, RegionModel, SpeciesModel
from ionstack.physics.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from ionstack.physics.states import Carrier, Occupation
from ionstack.physics.swelling import volume_per_particle

# Fields from outside: the stress [Pa] that works against a swelling host lies on the straight
# line STRESS + STRESS_SLOPE (volume strain).
STRESS, STRESS_SLOPE = "stress", "stress_slope"
# Temperature [K] where it is a field; else it is one number for all.
TEMPERATURE = "temperature"
# Field at a place over that of the model, for reactions that read it; 1 where there is none.
FOCUS = "focus"
# Gap between metals at all local edges of a region, the fields of `Gap` one below the other.
GAP = "gap"

Unknowns = Mapping[str, jax.Array]
Carriers = Mapping[str, Carrier]


@dataclass(frozen=True)
class NodeBatch:
    """Nodes of one region: values of the laws' inputs and tangents per unknown.

    `tangents[unknown]` holds the derivatives of all carriers along "phi", a species
    or a gradient term. `phi` [V].
    """

    carriers: Carriers
    tangents: Mapping[str, Carriers]
    phi: jax.Array
    gradients: Mapping[str, jax.Array]  # potentials of the gradient terms [V]


def gradient_of(name: str) -> str:
    """Name of the unknown that holds the gradient term of a species' potential."""
    return f"{name} gradient"


def bias_of(name: str) -> str:
    """Name of the field from outside that raises a species' potential [eV]."""
    return f"{name} bias"


def unknowns_of(region: RegionModel) -> tuple[str, ...]:
    """Names of a region's unknowns besides the potential: species, then gradient terms."""
    gradients = (gradient_of(one.name) for one in region.species if one.gradient_energy)
    return (*(one.name for one in region.species), *gradients)


def density_inputs(region: RegionModel, name: str) -> tuple[str, ...]:
    """Unknowns on which the density of a species depends."""
    return ("phi", name, *(one.name for one in region.rivals(name)))


def carrier_inputs(region: RegionModel, name: str) -> tuple[str, ...]:
    """Unknowns on which a species' density or electrochemical potential depends."""
    own = (gradient_of(name),) if region.held(name).gradient_energy else ()
    if region.held(name).swelling is None:
        return (*density_inputs(region, name), *own)
    # All that swells the host changes the stress that the species works against.
    swelling = (density_inputs(region, one.name) for one in region.swelling)
    every = (*density_inputs(region, name), *own, *chain.from_iterable(swelling))
    return tuple(dict.fromkeys(every))


def law_inputs(region: RegionModel, name: str, law: BoundLaw) -> tuple[str, ...]:
    """Unknowns of `region` on which a law of species `name` depends."""
    coupled = law.couples if law.couples and region.find(law.couples) else None
    extra = () if coupled is None else density_inputs(region, coupled)
    return tuple(dict.fromkeys((*carrier_inputs(region, name), *extra)))


def at(number: Any, temperature: Any) -> jax.Array:
    """Evaluate an `Arrhenius` number at a temperature [K]; other numbers stay as they are."""
    if not isinstance(number, Arrhenius):
        return jnp.asarray(number)
    inverse = 1.0 / temperature - 1.0 / number.reference_temperature
    factor = jnp.exp(-number.activation_energy / BOLTZMANN_EV * inverse)
    return jnp.asarray(number.value * factor)


def settled(
    numbers: Mapping[str, Any], temperature: float, activated: bool = False
) -> dict[str, Any]:
    """Copy of the numbers with every `Arrhenius` number evaluated at a temperature [K].

    Those that depend on it stay as they are if they are to remain `activated`.
    """

    def one(number: Any) -> Any:
        if not isinstance(number, Arrhenius) or (activated and number.activation_energy):
            return number
        return np.asarray(at(number, temperature))

    return {
        key: {name: one(number) for name, number in group.items()}
        if isinstance(group, Mapping)
        else group
        for key, group in numbers.items()
    }


def law_values(
    numbers: Mapping[str, Any], key: str, law: BoundLaw, temperature: Any
) -> dict[str, Any]:
    """Everything a law is given: its numbers at the temperature and its curves."""
    own = {name: at(value, temperature) for name, value in numbers[key].items()}
    return {**own, **law.curves}


def node_batch(
    region: RegionModel,
    numbers: Mapping[str, Any],
    temperature: jax.Array,
    u: Unknowns,
    outer: Mapping[str, Any],
) -> NodeBatch:
    """Evaluate densities and electrochemical potentials of a region, with tangents.

    Args:
        region: the region's laws.
        numbers: the model's numbers by key, see `numbers_of`.
        temperature: [K].
        u: unknowns [V] at the region's nodes, "phi" and those of `unknowns_of`.
        outer: fields from outside at the region's nodes; see `STRESS` and `TEMPERATURE`.
    """
    temperature = outer.get(TEMPERATURE, temperature)
    carriers = partial(_carriers, region, numbers, temperature, outer)

    def along(name: str) -> Carriers:
        def moved(value: jax.Array) -> dict[str, Carrier]:
            return carriers({**u, name: value})

        slopes: dict[str, Carrier] = jax.jvp(moved, (u[name],), (jnp.ones_like(u[name]),))[1]
        return slopes

    species = {one.name for one in region.species}
    gradients = {name: u[name] for name in u if name != "phi" and name not in species}
    return NodeBatch(carriers(u), {name: along(name) for name in u}, u["phi"], gradients)


def _carriers(
    region: RegionModel,
    numbers: Mapping[str, Any],
    temperature: jax.Array,
    outer: Mapping[str, Any],
    u: Unknowns,
) -> dict[str, Carrier]:
    thermal = BOLTZMANN_EV * temperature
    bare = {
        one.name: (numbers[f"{region.name}/{one.name}"]["level"] + one.z * u["phi"]) / thermal
        for one in region.species
    }
    eta = {name: u[name] / thermal - value for name, value in bare.items()}
    occupations = {}
    for one in region.species:
        crowd = _crowd([eta[rival.name] for rival in region.rivals(one.name)])
        occupations[one.name] = _occupation(region, one, numbers, temperature, eta[one.name], crowd)
    work = _stress_work(region, numbers, temperature, occupations, outer)
    result = {}
    for one in region.species:
        occupation = occupations[one.name]
        shift = _excess(region, one, numbers, temperature, u, occupation)
        if one.name in work:
            shift = shift + work[one.name]
        if bias_of(one.name) in outer:
            shift = shift + outer[bias_of(one.name)] / thermal
        bare_one, psi = bare[one.name] + shift, u[one.name] / thermal + shift
        sites = numbers[f"{region.name}/{one.name}"]["site_density"] * jnp.ones_like(psi)
        result[one.name] = Carrier(
            c=sites * occupation.x,
            x=occupation.x,
            vacancy=occupation.vacancy,
            psi=psi,
            drift=bare_one + occupation.log_gamma,
            bare=bare_one,
            coupled=jnp.zeros_like(psi),
            phi=u["phi"] / thermal,
            sites=sites,
        )
    return result


def _crowd(rivals: list[jax.Array]) -> jax.Array | None:
    """Return ln(1 + sum exp(eta)) of the species that share the sites; None without any."""
    if not rivals:
        return None
    stacked = jnp.stack([jnp.zeros_like(rivals[0]), *rivals])
    return jnp.asarray(jax.scipy.special.logsumexp(stacked, axis=0))


def _occupation(
    region: RegionModel,
    one: SpeciesModel,
    numbers: Mapping[str, Any],
    temperature: jax.Array,
    eta: jax.Array,
    crowd: jax.Array | None,
) -> Occupation:
    """Occupation of a species whose rivals take part of the sites.

    On a lattice x = e^eta/(1 + sum e^eta) over all species of the sites: the law of one
    species with eta lowered by `crowd`, free sites and activity changed accordingly.
    """
    thermal = BOLTZMANN_EV * temperature
    key = f"{region.name}/{one.name}/statistics"
    values = law_values(numbers, key, one.statistics, temperature)
    law = one.statistics.law.function
    if crowd is None:
        found: Occupation = law(eta, values, thermal)
        return found
    x, vacancy, log_gamma = law(eta - crowd, values, thermal)
    return Occupation(x, vacancy * jnp.exp(-crowd), log_gamma + crowd)


def _excess(
    region: RegionModel,
    one: SpeciesModel,
    numbers: Mapping[str, Any],
    temperature: jax.Array,
    u: Unknowns,
    occupation: Occupation,
) -> jax.Array:
    """Excess potential over kT, with the gradient term if the species has one."""
    thermal = BOLTZMANN_EV * temperature
    shift = jnp.zeros_like(occupation.x)
    if one.excess is not None:
        key = f"{region.name}/{one.name}/excess"
        values = law_values(numbers, key, one.excess, temperature)
        shift = shift + one.excess.law.function(occupation.x, values, thermal)
    if one.gradient_energy:
        shift = shift + u[gradient_of(one.name)] / thermal
    return shift


def _stress_work(
    region: RegionModel,
    numbers: Mapping[str, Any],
    temperature: jax.Array,
    occupations: Mapping[str, Occupation],
    outer: Mapping[str, Any],
) -> dict[str, jax.Array]:
    """-Omega sigma/kT of every species that swells the region; none where nothing is stressed."""
    if STRESS not in outer:
        return {}
    contents = {one.name: occupations[one.name].x for one in region.swelling}
    strain, volumes = swollen(region, numbers, temperature, contents)
    stress = outer[STRESS] + outer[STRESS_SLOPE] * strain
    energy = ELEMENTARY_CHARGE * BOLTZMANN_EV * temperature
    return {name: -volume * stress / energy for name, volume in volumes.items()}


def swollen(
    region: RegionModel,
    numbers: Mapping[str, Any],
    temperature: Any,
    contents: Mapping[str, jax.Array],
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Volume strain [1] by the contents of what swells a region, and partial volumes [m^3]."""
    strain, volumes = jnp.asarray(0.0), {}
    for one in region.swelling:
        key, x = f"{region.name}/{one.name}", contents[one.name]
        assert one.swelling is not None
        values = law_values(numbers, f"{key}/swelling", one.swelling, temperature)
        sites, function = jnp.asarray(numbers[key]["site_density"]), one.swelling.law.function
        strain = strain + function(x, sites, values)
        volumes[one.name] = volume_per_particle(function, x, sites, values)
    return strain, volumes


def with_coupled(carriers: Carriers, name: str, couples: str | None) -> Carrier:
    """Carrier of a species with the content of the species that a law names besides."""
    own = carriers[name]
    if couples is None or couples not in carriers:
        return own
    return own._replace(coupled=carriers[couples].x)


def rescaled(carrier: Carrier, ratio: jax.Array) -> Carrier:
    """Carrier with potentials over another temperature; `ratio` is its own over that one.

    Densities stay, and so do the parts of the potentials that follow from them, so that
    c_K exp(drift_K - drift_L) = c_L exp(psi_K - psi_L) holds as at one temperature.
    """
    return raised(carrier, (ratio - 1.0) * carrier.psi)._replace(phi=ratio * carrier.phi)


def isothermal(carrier: Carrier, ratio: jax.Array) -> Carrier:
    """Carrier as `rescaled`, but for what its density adds, which stays over its own kT.

    Between two ends of one density and energy nothing is left then, whatever they are.
    """
    return raised(carrier, (ratio - 1.0) * carrier.bare)._replace(phi=ratio * carrier.phi)


def raised(carrier: Carrier, shift: jax.Array) -> Carrier:
    """Carrier with all its electrochemical potentials raised by `shift` [kT]."""
    potentials = {name: getattr(carrier, name) + shift for name in ("psi", "drift", "bare")}
    return carrier._replace(**potentials)


def take(carrier: Carrier, index: Any) -> Carrier:
    """Carrier at the indexed nodes."""
    return Carrier(*(field[index] for field in carrier))
