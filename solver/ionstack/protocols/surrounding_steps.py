"""Steps of a protocol that change what surrounds the device, with all sources as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ionstack.protocols.laid import Laid


@dataclass(frozen=True)
class Warm:
    """Another temperature [K], reached linearly in `duration` [s], all sources as they are."""

    temperature: float
    duration: float

    def lay(self, laid: Laid) -> None:
        """One interval on the way to the new temperature."""
        laid.warm(self.temperature)
        laid.stay(self.duration)

    def describe(self) -> str:
        """Say it in words."""
        return f"temperature to {self.temperature:g} K in {self.duration:g} s"


@dataclass(frozen=True)
class Ambient:
    """Other partial pressures [Pa], reached linearly in `duration` [s], sources as they are."""

    pressures: Mapping[str, float]
    duration: float

    def lay(self, laid: Laid) -> None:
        """One interval on the way to the new pressures."""
        laid.surround(self.pressures)
        laid.stay(self.duration)

    def describe(self) -> str:
        """Say it in words."""
        return f"ambient to {mixture_words(self.pressures)} in {self.duration:g} s"


def mixture_words(pressures: Mapping[str, float]) -> str:
    """Gases with their partial pressures."""
    return ", ".join(f"{name} {pressure:g} Pa" for name, pressure in pressures.items())
