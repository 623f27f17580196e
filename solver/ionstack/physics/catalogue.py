"""Importing this module registers every law that ionstack ships."""

from __future__ import annotations

from ionstack.physics import (
    contacts,
    hopping,
    interfaces,
    reactions,
    statistics,
    swelling,
    transport,
)
from ionstack.physics.registry import laws

__all__ = [
    "contacts",
    "hopping",
    "interfaces",
    "laws",
    "reactions",
    "statistics",
    "swelling",
    "transport",
]
