"""The materials that a stack names, with the changes that a case makes to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ionstack.errors import InputError
from ionstack.geometry.stack import Stack
from ionstack.reading.materials import (
    Material,
    available_materials,
    material_from_node,
    material_node,
    unknown_material,
)
from ionstack.reading.yaml_source import Keys, Node, Problem, raise_problems

_SECTION = "materials"
_SUBSTRATE_MATERIAL = ("mechanics", "substrate", "material")
_LAYER, _ELECTRODE, _SUBSTRATE = "a layer", "an electrode", "a substrate"
_ZONES: Keys = ("mechanics", "zones")
_ZONE = ""  # any solid; what it lacks is told with the mechanics of the case


@dataclass(frozen=True)
class _Use:
    """Where a file names a material, and as what: layer, electrode, substrate or zone."""

    node: Node
    keys: Keys
    material: str
    role: str

    def problem(self, message: str) -> Problem:
        """Return a problem at this place."""
        return Problem(self.node.place(self.keys), self.keys, message)


def materials_of(
    stack: Stack, stack_node: Node, case_node: Node | None = None, search_paths: Sequence[Path] = ()
) -> dict[str, Material]:
    """Return all materials of a stack by name.

    `case_node` is the tree of a case, which may name materials of a substrate and of zones, and
    whose section ``materials`` adds materials or changes single numbers.

    Raises one `InputError` with all mistakes.
    """
    changes = _changes(case_node)
    uses = [*_uses(stack, stack_node), *_substrates(case_node), *_zones(case_node)]
    library = available_materials(search_paths)
    known = sorted({*library, *changes})
    unused = _unused(uses, changes, library, case_node)
    raise_problems([*_unknown(uses, known), *unused])
    names = list(dict.fromkeys(use.material for use in uses))
    materials = _read(names, changes, search_paths)
    raise_problems(_misplaced(uses, materials))
    return materials


def _changes(case_node: Node | None) -> Mapping[str, Node]:
    section = case_node.child(_SECTION) if case_node is not None else None
    return section.content if section is not None and isinstance(section.content, Mapping) else {}


def _uses(stack: Stack, node: Node) -> Iterator[_Use]:
    yield _Use(node, ("electrodes", "top", "material"), stack.top.material, _ELECTRODE)
    for index, layer in enumerate(stack.layers):
        yield _Use(node, ("layers", index, "material"), layer.material, _LAYER)
    yield _Use(node, ("electrodes", "bottom", "material"), stack.bottom.material, _ELECTRODE)


def _substrates(case_node: Node | None) -> Iterator[_Use]:
    node = None if case_node is None else case_node.find(_SUBSTRATE_MATERIAL)
    if case_node is not None and node is not None and isinstance(node.content, str):
        yield _Use(case_node, _SUBSTRATE_MATERIAL, node.content, _SUBSTRATE)


def _zones(case_node: Node | None) -> Iterator[_Use]:
    node = None if case_node is None else case_node.find(_ZONES)
    entries = node.content if node is not None else ()
    for index in range(len(entries)) if isinstance(entries, list | tuple) else ():
        keys: Keys = (*_ZONES, index, "material")
        found = None if case_node is None else case_node.find(keys)
        if case_node is not None and found is not None and isinstance(found.content, str):
            yield _Use(case_node, keys, found.content, _ZONE)


def _unknown(uses: Sequence[_Use], known: Sequence[str]) -> Iterator[Problem]:
    for use in uses:
        if use.material not in known:
            yield use.problem(unknown_material(use.material, known))


def _unused(
    uses: Sequence[_Use],
    changes: Mapping[str, Node],
    library: Sequence[str],
    case_node: Node | None,
) -> Iterator[Problem]:
    """Changes of a material that is neither used nor a record of its own: a misspelt name."""
    names = list(dict.fromkeys(use.material for use in uses))
    for name, change in changes.items():
        a_record = name in library or change.child("title") is not None
        if name not in names and not a_record and case_node is not None:
            keys = (_SECTION, name)
            message = unknown_material(name, names).replace("unknown", "the stack does not use", 1)
            yield Problem(case_node.place(keys, of_key=True), keys, message)


def _read(
    names: Sequence[str], changes: Mapping[str, Node], search_paths: Sequence[Path]
) -> dict[str, Material]:
    materials: dict[str, Material] = {}
    errors: list[str] = []
    for name in names:
        at: Keys = (_SECTION, name) if name in changes else ()
        try:
            node = material_node(name, search_paths, changes.get(name))
            assert node is not None
            materials[name] = material_from_node(name, node, at)
        except InputError as error:
            errors.append(str(error))
    if errors:
        raise InputError("\n".join(errors))
    return materials


def _misplaced(uses: Sequence[_Use], materials: Mapping[str, Material]) -> Iterator[Problem]:
    for use in uses:
        roles = _roles(materials[use.material])
        if use.role in (_ZONE, *roles):
            continue
        fitting = [name for name, entry in materials.items() if use.role in _roles(entry)]
        hint = f"; of this stack: {', '.join(fitting)}" if fitting else ""
        found = f"{use.material!r} is {roles[0]} material, this needs {use.role} material"
        yield use.problem(found + hint)


def _roles(material: Material) -> tuple[str, ...]:
    """What a material can be used as, first what it is."""
    layer = _LAYER if material.species else _SUBSTRATE
    own = _ELECTRODE if material.is_electrode else layer
    able = material.mechanics is not None and own != _SUBSTRATE
    return (own, _SUBSTRATE) if able else (own,)
