"""What a case would solve, in words and tables: printed by ``ionstack check``."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.case import Case, values_used
from ionstack.materials import value_table
from ionstack.model import BoundLaw, Model, build_model
from ionstack.output.provenance import blas_name
from ionstack.protocol import Hold, Sweep


def describe(case: Case) -> str:
    """Return species, unknowns, laws, contacts, protocol and all numbers with sources."""
    model = build_model(case)
    lines = [
        f"{case.title or case.name} ({case.path})",
        "",
        *_stack(case),
        "",
        *_unknowns(model),
        "",
        *_laws(model),
        "",
        *_protocol(case),
        "",
        *_observables(case),
        *_numbers(case),
        "",
        f"BLAS in use: {blas_name() or 'unknown'}",
    ]
    return "\n".join(lines)


def _stack(case: Case) -> Iterator[str]:
    stack = case.stack
    area = f"{stack.area * 1e12:.6g} um^2"
    yield f"Stack {stack.name}, {stack.dimension}, {area}, {case.temperature:.2f} K"
    yield f"  {stack.top.name:<12} electrode of {stack.top.material}"
    for layer in stack.layers:
        size = f"{layer.thickness * 1e9:g} nm" if layer.thickness else "from the mesh file"
        yield f"  {layer.name:<12} {layer.material}, {size}"
    yield f"  {stack.bottom.name:<12} electrode of {stack.bottom.material}"


def _unknowns(model: Model) -> Iterator[str]:
    yield "Unknowns"
    yield "  potential                 one per vertex; continuous across interfaces"
    for name, z in model.valences.items():
        held = [region.name for region in model.regions if region.find(name)]
        yield f"  {name:<4} (z = {z:+d})             one per node in {', '.join(held)}"


def _laws(model: Model) -> Iterator[str]:
    yield "Laws"
    for region in model.regions:
        for one in region.species:
            statistics = one.statistics.law.name + (
                f" + {one.excess.law.name}" if one.excess else ""
            )
            yield f"  {region.name}: {one.name} {statistics}, {_law(one.transport)}"
    for interface in model.interfaces:
        for name, law in interface.laws.items():
            yield f"  {'/'.join(interface.sides)}: {name} {_law(law)}"
    for contact in model.contacts:
        for name, law in contact.laws.items():
            metal = f"{contact.name} (work function {contact.work_function:g} eV)"
            yield f"  {metal}: {name} {_law(law)}"


def _law(bound: BoundLaw) -> str:
    coupled = f", with the content of {bound.couples}" if bound.couples else ""
    return f"{bound.law.name}{coupled}: {bound.law.summary}"


def _protocol(case: Case) -> Iterator[str]:
    protocol = case.protocol
    yield f"Protocol of {protocol.duration:g} s, {len(protocol.cycles)} cycles"
    for step in protocol.steps:
        yield f"  {_step(step)}"


def _step(step: Sweep | Hold) -> str:
    if isinstance(step, Sweep):
        repeated = f", {step.cycles} times" if step.cycles > 1 else ""
        turn = f"0 V to {step.amplitude:g} V and back at {step.rate:g} V/s"
        return f"sweep {step.contact} from {turn}{repeated}"
    return f"hold {step.contact} at {step.voltage:g} V for {step.duration:g} s"


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
