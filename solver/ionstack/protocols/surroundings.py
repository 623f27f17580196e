"""What surrounds a device: its temperature and the gas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Surroundings:
    """Temperature [K] and partial pressures [Pa] by gas; a gas that is not named is not there."""

    temperature: float
    pressures: Mapping[str, float] = field(default_factory=dict)

    def towards(
        self, temperature: float | None, pressures: Mapping[str, float] | None, share: float
    ) -> Surroundings:
        """A share of the linear way to others, exact at 1; what is None stays."""
        goal = self.temperature if temperature is None else temperature
        gases = self.pressures if pressures is None else pressures
        if share >= 1.0:
            return Surroundings(goal, gases)
        names = dict.fromkeys((*self.pressures, *gases))
        pairs = {name: (self.pressures.get(name, 0.0), gases.get(name, 0.0)) for name in names}
        between = {name: begin + share * (end - begin) for name, (begin, end) in pairs.items()}
        return Surroundings(self.temperature + share * (goal - self.temperature), between)
