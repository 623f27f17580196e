"""What a case would solve, in words and tables: printed by ``ionstack check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite

from ionstack.casefile.case import Case
from ionstack.casefile.case_schema import Start
from ionstack.casefile.mechanics_schema import MechanicsChoice
from ionstack.casefile.used_values import values_used
from ionstack.models.case_model import build_model
from ionstack.models.heat_model import build_heat_model
from ionstack.models.model import (
    BoundLaw,
    ContactModel,
    DoubleLayer,
    Model,
    ReactionModel,
    RegionModel,
)
from ionstack.models.products import products_of, reactions
from ionstack.output.provenance import blas_name
from ionstack.protocols.protocol_steps import Entry, Repeat
from ionstack.protocols.surrounding_steps import Ambient, mixture_words
from ionstack.reading.materials import value_table

_STARTS: dict[Start, str] = {
    "equilibrium": "equilibrium at 0 V with the contents' totals",
    "as_given": "contents as given, at 0 V",
}


def describe(case: Case) -> str:
    """Return species, unknowns, laws, contacts, protocol and all numbers with sources."""
    lines = [
        f"{case.title or case.name} ({case.path})",
        "",
        *(_device(case) if case.stack.layers else (f"Circuit alone, {case.temperature:.2f} K", "")),
        *_circuit(case),
        *_protocol(case),
        "",
        *_analyses(case),
        *_observables(case),
        *_numbers(case),
        "",
        f"BLAS in use: {blas_name() or 'unknown'}",
    ]
    return "\n".join(lines)


def _device(case: Case) -> Iterator[str]:
    model = build_model(case)
    yield from (*_stack(case), "")
    yield from (*_unknowns(model, case.start), "")
    yield from (*_laws(model), *_ambient(case, model), *_heat(case), *_mechanics(case), "")


def _stack(case: Case) -> Iterator[str]:
    stack = case.stack
    area = f"{stack.area * 1e12:.6g} um^2"
    yield f"Stack {stack.name}, {stack.dimension}, {area}, {case.temperature:.2f} K"
    yield f"  {stack.top.name:<12} electrode of {stack.top.material}"
    for layer in stack.layers:
        size = f"{layer.thickness * 1e9:g} nm" if layer.thickness else "from the mesh file"
        yield f"  {layer.name:<12} {layer.material}, {size}"
    yield f"  {stack.bottom.name:<12} electrode of {stack.bottom.material}"


def _unknowns(model: Model, start: Start) -> Iterator[str]:
    yield "Unknowns"
    steps = ["/".join(one.sides) for one in model.interfaces if one.double_layer]
    apart = f" other than {', '.join(steps)}" if steps else ""
    yield f"  potential                 one per vertex; continuous across interfaces{apart}"
    for name, z in model.valences.items():
        held = [region.name for region in model.regions if region.find(name)]
        charge = f"z = {z:+d}" if z else "z = 0"
        yield f"  {name:<4} ({charge:<6})             one per node in {', '.join(held)}"
    for region in model.regions:
        for one in region.species:
            if one.gradient_energy:
                yield f"  gradient term of {one.name:<8}  one per node in {region.name}"
    for name, (contacts, particles) in _products(model).items():
        where = ", ".join(contacts)
        yield f"  {name:<8} (binds {particles})         one per node at {where}"
    yield f"  start                     {_STARTS[start]}"


def _products(model: Model) -> dict[str, tuple[list[str], str]]:
    """Products by name: the contacts at which they are made, and what a unit binds."""
    found: dict[str, tuple[list[str], str]] = {}
    for position, species, law in reactions(model):
        for name, count in products_of(law).items():
            held = found.setdefault(name, ([], f"{count} {species}"))
            held[0].append(model.contacts[position].name)
    return found


def _laws(model: Model) -> Iterator[str]:
    yield "Laws"
    for region in model.regions:
        for one in region.species:
            statistics = one.statistics.law.name + (
                f" + {one.excess.law.name}" if one.excess else ""
            )
            shared = f" on the sites {one.sublattice}" if one.sublattice else ""
            yield f"  {region.name}: {one.name} {statistics}{shared}, {_law(one.transport)}"
        for reaction in region.reactions:
            yield f"  {region.name}: {_equation(reaction)} {_law(reaction.law)}"
        yield from (f"  {region.name}: {line}" for line in _charges(region))
    for interface in model.interfaces:
        sides = "/".join(interface.sides)
        for name, law in interface.laws.items():
            yield f"  {sides}: {name} {_law(law)}"
        yield from (f"  {sides}: {line}" for line in _capacitor(interface.double_layer))
        if interface.sheet_charge:
            yield f"  {sides}: sheet charge {interface.sheet_charge:g} e/m^2"
    for contact in model.contacts:
        metal = f"{contact.name} ({_alignment(contact)})"
        for name, law in contact.laws.items():
            yield f"  {metal}: {name} {_law(law)}"
            yield from (f"    {step}" for step in _steps(law))
        yield from (f"  {metal}: {line}" for line in _capacitor(contact.double_layer))
        if contact.nucleation is not None:
            nucleus = contact.nucleation.nucleus
            planted = f", planted in {nucleus.species}" if nucleus else ""
            yield f"  {metal}: nuclei at random, {_law(contact.nucleation.law)}{planted}"
    if model.noise is not None:
        every = ", ".join(f"{name} in {layer}" for layer, name in model.noise.named)
        yield f"  thermal noise, constant for {model.noise.correlation_time:g} s: {every}"


def _ambient(case: Case, model: Model) -> Iterator[str]:
    """The gas around the device, if anything is said of it, and whether a law reads it."""
    changes = any(isinstance(one.step, Ambient) for one in _leaves(case.protocol.steps))
    if not case.ambient and not changes:
        return
    yield ""
    yield f"Ambient of {mixture_words(case.ambient) or 'unknown gas'}"
    laws = [law for contact in model.contacts for law in contact.laws.values()]
    if not any(law.gas or law.law.binding for law in laws):
        yield "  no law reads it: it changes nothing"


def _heat(case: Case) -> Iterator[str]:
    """How heat leaves, if the case has a balance of heat."""
    heat, model = case.heat, build_heat_model(case)
    if heat is None or model is None:
        return
    yield ""
    yield f"Heat with a {heat.balance} balance, temperature to {heat.tolerance:g} K"
    for electrode in case.stack.electrodes:
        sink = model.sinks.get(electrode.name)
        if sink is None:
            yield f"  {electrode.name}: lets no heat through"
            continue
        place = "surroundings" if sink.temperature is None else f"{sink.temperature:g} K"
        ways = [f"{sink.conductance:g} W/(m^2 K)"] if isfinite(sink.conductance) else []
        ways += [f"{sink.resistance:g} K/W"] if sink.resistance else []
        through = f" through {' and '.join(ways)}" if ways else ""
        yield f"  {electrode.name}: {heat.contacts[electrode.name].kind}, to {place}{through}"
    for name, one in heat.interfaces.items():
        yield f"  {name}: {one.value:g} K m^2/W"
    yield "  left out: heat that carriers take along (Peltier), thermoelectric fields (Seebeck)"


def _mechanics(case: Case) -> Iterator[str]:
    """What is stressed, how it is held, and the assumptions in place of what is not solved."""
    read = case.mechanics
    if read is None:
        return
    yield ""
    films = case.stack.dimension == "1d"
    yield "Mechanics: " + (
        "plane stress of films that are thin against their width, in closed form"
        if films
        else "small strain of the whole stack, displacement of second order"
    )
    below = read.substrate
    held = "a rigid clamp below" if below is None else f"{below.thickness:g} m of {below.material}"
    yield f"  held by {held}; transport and stress agree to {read.tolerance:g} V"
    swelling = [
        f"{name} in {layer.name}"
        for layer in case.stack.layers
        for name, one in case.materials[layer.material].species.items()
        if one.swelling is not None
    ]
    yield f"  swells: {', '.join(swelling) or 'nothing'}"
    for metal, thickness in read.metals.items():
        yield f"  {metal}: metal of {thickness * 1e9:g} nm, bonded"
    for debond in read.debonds:
        yield (
            f"  {debond.interface}: debonded {debond.text}: traction-free, frictionless contact "
            "(assumed)"
        )
    yield from (f"  {line}" for line in _cohesion(case, read))
    for zone in read.zones:
        solid = zone.material or "a solid of its own"
        assumed = f"{zone.text} is {solid} (assumed); it swells as {zone.layer}"
        yield f"  {zone.name}: {zone.layer} {assumed}"
    if read.rotations == "large":
        lift = f"a pressure in the slits lifts the films by {read.lift:g} m at rest"
        yield f"  large rotations; {lift}"
    yield from (f"  {line}" for line in _closures(read, films))


def _cohesion(case: Case, read: MechanicsChoice) -> Iterator[str]:
    """Interfaces that may part, and the others outside of 1-D."""
    for one in read.cohesive:
        given = one.stiffness
        stiffness = "50 E/d of the stiffer neighbour" if given is None else f"{given.value:g} Pa/m"
        yield (
            f"{one.interface}: cohesive {one.text}, parts at {one.strength.value:g} Pa and "
            f"{one.work.value:g} J/m^2 in all modes alike, stiffness {stiffness}; "
            "frictionless contact when it has failed (assumed)"
        )
    parting = [one.interface for one in read.debonds]
    parting += [one.interface for one in read.cohesive]
    bonded = [name for name in case.stack.interfaces if name not in parting]
    if bonded and case.stack.dimension != "1d":
        yield f"bonded: {', '.join(bonded)}"


def _closures(read: MechanicsChoice, films: bool) -> Iterator[str]:
    for one in read.roughness:
        amplitude = f"{one.amplitude.value:g} m + {one.gain.value:g} x growth of {one.layer}"
        yield (
            f"{one.metal}: closure: grains of {one.grain.value:g} m strain it by (pi A/l)^2, "
            f"A = {amplitude}{'' if films else ' at each place'}; a clamped film does not"
        )
    for pores in read.porosity:
        yield f"{pores.metal}: plastic strain opens pores, which do not soften it"
        if not films:
            yield (
                f"{pores.metal}: gas passes its whole thickness: the least porous place of each "
                "column counts (assumed)"
            )


def _leaves(steps: Iterable[Entry]) -> Iterator[Entry]:
    """Steps without those that only repeat others."""
    for entry in steps:
        if isinstance(entry.step, Repeat):
            yield from _leaves(entry.step.steps)
        else:
            yield entry


def _equation(reaction: ReactionModel) -> str:
    """Equation as solved, e.g. ``2 Li+ + e- <=> A``."""
    left, right = (
        " + ".join(name if count == 1 else f"{count} {name}" for name, count in side)
        for side in (reaction.left, reaction.right)
    )
    return f"{reaction.name}, {left or 'nothing'} <=> {right or 'nothing'},"


def _charges(region: RegionModel) -> Iterator[str]:
    if callable(region.fixed_charge):
        yield "fixed charge depends on the place"
    elif region.fixed_charge:
        yield f"fixed charge {region.fixed_charge:g} e/m^3"
    if region.neutral:
        yield "neutral: the potential follows from charge neutrality"


def _capacitor(layer: DoubleLayer | None) -> Iterator[str]:
    if layer is not None:
        carried = ", ".join(f"{name} in {region}" for region, name in layer.carriers.items())
        offset = f", offset {layer.offset:g} V" if layer.offset else ""
        stored = f", charge stored as {carried}" if carried else ""
        yield f"double layer of {layer.capacitance:g} F/m^2{offset}{stored}"


def _alignment(contact: ContactModel) -> str:
    work = contact.work_function
    found = "ohmic" if work is None else f"work function {work:g} eV"
    return f"{found}, floating" if contact.floating else found


def _law(bound: BoundLaw) -> str:
    coupled = f", with the content of {bound.couples}" if bound.couples else ""
    return f"{bound.law.name}{coupled}{_gas(bound)}: {bound.law.summary}"


def _steps(bound: BoundLaw) -> Iterator[str]:
    """Steps of a reaction that makes products."""
    for step in bound.law.binding.steps if bound.law.binding else ():
        yield f"step, assumed: {step.equation}"


def _gas(bound: BoundLaw) -> str:
    """What gases add to the chemical potential."""
    terms = (f"{count:+g} kT ln(p({name})/1 bar)" for name, count in bound.gas.items())
    return f", chemical potential {' '.join(terms)}" if bound.gas else ""


def _circuit(case: Case) -> Iterator[str]:
    if not case.circuit.plain:
        yield "Circuit"
        yield from case.circuit.describe()
        yield ""


def _protocol(case: Case) -> Iterator[str]:
    protocol = case.protocol
    count, cycles = len(protocol.steps), len(protocol.cycles)
    pulses = sum(one.kind == "pulse" for one in protocol.pulses)
    counts = [(count, "step"), (cycles, "cycle"), (pulses, "pulse")]
    shown = (f"{n} {what}{'s' * (n > 1)}" for n, what in counts if n)
    yield f"Protocol of {protocol.length()}: {', '.join(shown)}"
    for number, step in enumerate(protocol.steps, start=1):
        yield from _step(f"{number}", step)


def _step(number: str, entry: Entry) -> Iterator[str]:
    """A step in a line, those that are repeated in one each."""
    indent = "  " * (number.count(".") + 1)
    yield f"{indent}{number}. {entry.describe()}"
    inside = entry.step.steps if isinstance(entry.step, Repeat) else ()
    for inner, step in enumerate(inside, start=1):
        yield from _step(f"{number}.{inner}", step)


def _analyses(case: Case) -> Iterator[str]:
    """What lies in an instrument at the end, where the case asks for it."""
    if not case.analyses:
        return
    yield "Surface analyses"
    for one in case.analyses:
        order = one.order
        states = ", ".join(order.states) or "end"
        signals = ", ".join(order.signals) or "all its signals"
        extra = [f"without {', '.join(order.without)}"] if order.without else []
        extra += ["a map"] if order.maps else []
        extra += [f"beside {order.measured.name}"] if order.measured else []
        yield f"  {'; '.join([f'{one.setup.name} of {states}: {signals}', *extra])}"
    yield ""


def _observables(case: Case) -> Iterator[str]:
    if not case.observables:
        return
    yield "Published observables addressed"
    for one in case.observables:
        yield f"  {one.row} ({one.status}): {one.statement}"
    yield ""


def _numbers(case: Case) -> Iterator[str]:
    rows = values_used(case)
    for owner in dict.fromkeys(row.material for row in rows):
        yield f"Numbers of {owner}"
        yield from ("  " + line for line in value_table([r for r in rows if r.material == owner]))
