"""Importing this module registers every law that ionstack ships."""

from __future__ import annotations

from ionstack.physics import (
    contacts,
    generation,
    hopping,
    interfaces,
    lithium_in_air,
    reactions,
    statistics,
    swelling,
    transport,
)
from ionstack.physics.registry import laws

__all__ = [
    "contacts",
    "generation",
    "hopping",
    "interfaces",
    "laws",
    "lithium_in_air",
    "reactions",
    "statistics",
    "swelling",
    "transport",
]
