"""Numbers of a case by their dotted keys, as those of ``--set``."""

from __future__ import annotations

from collections.abc import Mapping

from ionstack.errors import nearest
from ionstack.reading.yaml_source import Keys, Node


def number_at(node: Node, key: str) -> str:
    """Return the number with its unit, as written, that a dotted key leads to in a case's tree.

    Raises `ValueError` with a sentence for the user if there is none.
    """
    found = node.find(_keys(node, key))
    content = None if found is None else found.content
    if isinstance(content, bool) or not isinstance(content, str | int | float):
        raise ValueError(f"{key} is not a number; name the key of a number with its unit")
    return str(content)


def _keys(node: Node, key: str) -> Keys:
    """Keys that lead to what a dotted key names; a ValueError says where they end."""
    keys: list[str | int] = []
    for part in key.split("."):
        here = node.find(tuple(keys))
        assert here is not None
        step: str | int = int(part) if isinstance(here.content, tuple) and part.isdigit() else part
        if here.child(step) is None:
            known = list(here.content) if isinstance(here.content, Mapping) else []
            where = ".".join(map(str, keys)) or "the case"
            listed = f"; there: {', '.join(known)}{nearest(part, known)}" if known else ""
            raise ValueError(f"there is no {part!r} in {where}{listed}")
        keys.append(step)
    return tuple(keys)
