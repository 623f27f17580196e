"""Importing this module registers every law that ionstack ships."""

from __future__ import annotations

from ionstack.physics import interfaces, statistics, transport
from ionstack.physics.registry import laws

__all__ = ["interfaces", "laws", "statistics", "transport"]
