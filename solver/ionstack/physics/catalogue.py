"""Importing this module registers every law that ionstack ships."""

from __future__ import annotations

from ionstack.physics import air, contacts, hopping, interfaces, reactions, statistics, transport
from ionstack.physics.registry import laws

__all__ = [
    "air",
    "contacts",
    "hopping",
    "interfaces",
    "laws",
    "reactions",
    "statistics",
    "transport",
]
