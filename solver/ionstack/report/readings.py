"""The numbers of a run's instruments: each with its spread over repetitions, where it has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ionstack.output.summary import read
from ionstack.report.wording import quantity, split_unit

_MOST = 12
_SPREADS = ("count", "low", "high", "variation", "variation.low", "variation.high", "log_std")


@dataclass(frozen=True)
class Reading:
    """A number of an instrument; `interval`: of its mean over `count` repetitions."""

    name: str
    value: str
    interval: str
    variation: str
    count: str


@dataclass(frozen=True)
class Instrument:
    """An instrument: its name and kind, its numbers, its table and its figure."""

    name: str
    kind: str
    readings: Sequence[Reading]
    table: Path
    figure: Path


@dataclass(frozen=True)
class Instruments:
    """The instruments that a page has room for, and the names of the others."""

    shown: Sequence[Instrument]
    left_out: Sequence[str]


def instruments(folder: Path) -> Instruments:
    """Return the instruments that a run has written, by name."""
    files = sorted(folder.glob("*.json"))
    shown = [_instrument(file) for file in files[:_MOST]]
    return Instruments(shown, [file.stem for file in files[_MOST:]])


def _instrument(file: Path) -> Instrument:
    numbers = read(file, "a record of numbers")
    kept = {key: value for key, value in numbers.items() if key not in ("kind", "not_finite")}
    kind, paths = str(numbers.get("kind", "")), (file.with_suffix(".csv"), file.with_suffix(".png"))
    return Instrument(file.stem, kind, readings(kept), *paths)


def readings(numbers: Mapping[str, Any]) -> list[Reading]:
    """Fold the spreads of numbers into their rows."""
    plain = {split_unit(key)[0]: (value, split_unit(key)[1]) for key, value in numbers.items()}
    spreads = {f"{name}.{spread}" for name in plain for spread in _SPREADS}
    return [
        _reading(name, value, unit, plain)
        for name, (value, unit) in plain.items()
        if name not in spreads
    ]


def _reading(name: str, value: Any, unit: str, plain: Mapping[str, tuple[Any, str]]) -> Reading:
    def of(spread: str, in_unit: str) -> str:
        found = plain.get(f"{name}.{spread}", (None, ""))[0]
        return "" if found is None else quantity(found, in_unit)

    low, high, count = of("low", unit), of("high", unit), of("count", "1")
    return Reading(
        name.replace(".", " ").replace("_", " "),
        quantity(value, unit),
        f"{low} to {high}" if low and high else "",
        of("variation", "1"),
        count,
    )
