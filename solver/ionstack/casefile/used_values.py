"""Every number of a case that has a source, as a run lists them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ionstack.casefile.boundary_schema import Boundary
from ionstack.casefile.case import Case
from ionstack.reading.curve_choice import CurveChoice
from ionstack.reading.law_choice import Value
from ionstack.reading.materials import (
    THERMAL,
    Material,
    UsedValue,
    law_values,
    material_values,
    used_value,
)


def values_used(case: Case) -> tuple[UsedValue, ...]:
    """Return every number with a source that the case uses, one row each."""
    materials = case.materials.values()
    stressed = case.mechanics is not None
    rows = [row for one in materials for row in material_values(_as_used(one, stressed))]
    if case.heat is None:
        rows = [row for row in rows if row.path.rsplit(".", 1)[-1] not in THERMAL]
    else:
        rows += [used_value(*where) for where in case.heat.values()]
    for each in () if case.mechanics is None else case.mechanics.cohesive:
        rows += [used_value(f"interface {each.interface}", *one) for one in each.values()]
    for zone in case.mechanics.zones if case.mechanics is not None else ():
        rows += [used_value(f"zone {zone.name}", *where) for where in zone.values()]
    for metal in case.stack.electrodes:
        if metal.profile is not None:
            rows.append(used_value(f"electrode {metal.name}", "profile", metal.profile))
    for name, nuclei in case.nucleation.items():
        rows += [used_value(f"nucleation {name}", *where) for where in nuclei.values()]
    if case.noise is not None:
        rows.append(used_value("noise", "correlation_time", case.noise.correlation_time))
    for name, layer in case.layers.items():
        if layer.fixed_charge is not None:
            rows.append(used_value(f"layer {name}", "fixed_charge", layer.fixed_charge))
    for name, given in case.contents.items():
        curves = ((key, one) for key, one in given.items() if isinstance(one, CurveChoice))
        rows += [used_value(f"layer {name}", f"content.{key}", one) for key, one in curves]
    for what, sections in (("interface", case.interfaces), ("contact", case.contacts)):
        for name, entries in sections.items():
            for species, choice in entries.items():
                values = law_values(f"{species}.{choice.kind}", choice)
                rows += [used_value(f"{what} {name}", key, value) for key, value in values]
            extra = _boundary_values(case.boundaries.get(name, Boundary()))
            rows += [used_value(f"{what} {name}", key, value) for key, value in extra]
    return tuple(rows)


def _as_used(material: Material, stressed: bool) -> Material:
    """The material without what a case without mechanics does not use."""
    if stressed:
        return material
    species = {
        name: dataclasses.replace(one, swelling=None) for name, one in material.species.items()
    }
    return dataclasses.replace(material, species=species, mechanics=None)


def _boundary_values(boundary: Boundary) -> Iterator[tuple[str, Value]]:
    if boundary.double_layer is not None:
        yield "double_layer.capacitance", boundary.double_layer.capacitance
        if boundary.double_layer.offset is not None:
            yield "double_layer.offset", boundary.double_layer.offset
    if boundary.sheet_charge is not None:
        yield "sheet_charge", boundary.sheet_charge
