"""Importing this module registers every law and element that ionstack ships."""

from __future__ import annotations

from ionstack.physics import (
    circuit_elements,
    compact_devices,
    contacts,
    face_nuclei,
    gap_tunnelling,
    generation,
    hopping,
    interfaces,
    lithium_in_air,
    phase_field,
    reactions,
    statistics,
    swelling,
    transport,
)
from ionstack.physics.element_registry import elements
from ionstack.physics.registry import laws

__all__ = [
    "circuit_elements",
    "compact_devices",
    "contacts",
    "elements",
    "face_nuclei",
    "gap_tunnelling",
    "generation",
    "hopping",
    "interfaces",
    "laws",
    "lithium_in_air",
    "phase_field",
    "reactions",
    "statistics",
    "swelling",
    "transport",
]
