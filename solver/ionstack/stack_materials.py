"""The materials that a stack names, with the changes that a case makes to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ionstack.errors import InputError
from ionstack.materials import (
    Material,
    available_materials,
    material_from_node,
    material_node,
    unknown_material,
)
from ionstack.stack import Stack
from ionstack.yaml_source import Keys, Node, Problem, raise_problems

_SECTION = "materials"


@dataclass(frozen=True)
class _Use:
    """Where a stack file names a material, and whether as a layer or an electrode."""

    keys: Keys
    material: str
    electrode: bool


def materials_of(
    stack: Stack, stack_node: Node, case_node: Node | None = None, search_paths: Sequence[Path] = ()
) -> dict[str, Material]:
    """Return all materials of a stack by name.

    `case_node` is the tree of a case, whose section ``materials`` adds materials
    or changes single numbers. Raises one `InputError` with all mistakes.
    """
    changes = _changes(case_node)
    uses = list(_uses(stack))
    library = available_materials(search_paths)
    known = sorted({*library, *changes})
    unused = _unused(uses, changes, library, case_node)
    raise_problems([*_unknown(uses, known, stack_node), *unused])
    names = list(dict.fromkeys(use.material for use in uses))
    materials = _read(names, changes, search_paths)
    raise_problems(_misplaced(uses, materials, stack_node))
    return materials


def _changes(case_node: Node | None) -> Mapping[str, Node]:
    section = case_node.child(_SECTION) if case_node is not None else None
    return section.content if section is not None and isinstance(section.content, Mapping) else {}


def _uses(stack: Stack) -> Iterator[_Use]:
    yield _Use(("electrodes", "top", "material"), stack.top.material, True)
    for index, layer in enumerate(stack.layers):
        yield _Use(("layers", index, "material"), layer.material, False)
    yield _Use(("electrodes", "bottom", "material"), stack.bottom.material, True)


def _unknown(uses: Sequence[_Use], known: Sequence[str], stack_node: Node) -> Iterator[Problem]:
    for use in uses:
        if use.material not in known:
            message = unknown_material(use.material, known)
            yield Problem(stack_node.place(use.keys), use.keys, message)


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


def _misplaced(
    uses: Sequence[_Use], materials: Mapping[str, Material], stack_node: Node
) -> Iterator[Problem]:
    for use in uses:
        if materials[use.material].is_electrode == use.electrode:
            continue
        role, other = ("an electrode", "a layer") if use.electrode else ("a layer", "an electrode")
        fitting = [name for name, entry in materials.items() if entry.is_electrode == use.electrode]
        message = f"{use.material!r} is {other} material, this needs {role} material"
        hint = f"; of this stack: {', '.join(fitting)}" if fitting else ""
        yield Problem(stack_node.place(use.keys), use.keys, message + hint)
