"""The points of a campaign: the full product of what varies, loaded and checked beforehand."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ionstack.casefile.case import Case, load_case
from ionstack.errors import InputError
from ionstack.output.campaign import Record
from ionstack.reading.units import number_and_unit
from ionstack.reading.variation import Variation, parse_variations

MOST_POINTS = 10_000
_LONGEST_VALUE, _LONGEST_NAME = 24, 100
_ASCII = str.maketrans({"µ": "u", "μ": "u", "Ω": "Ohm", "°": "deg", "%": "pct"})


@dataclass(frozen=True)
class Point:
    """One point: the name of its folder, the varied values as written, its checked case."""

    name: str
    values: Mapping[str, str]
    case: Case


@dataclass(frozen=True)
class Plan:
    """All points of a campaign, in order: the last key given varies fastest."""

    record: Record
    points: tuple[Point, ...]

    def cases(self) -> dict[str, str]:
        """Return the resolved cases by point."""
        return {point.name: point.case.resolved() for point in self.points}


def plan_campaign(path: Path, settings: Sequence[str], varied: Sequence[str]) -> Plan:
    """Read and check the case of every point.

    Raises one `InputError` with every mistake; those of a varied value name it as
    ``--vary key=value``.
    """
    variations = parse_variations(varied, settings)
    points = _product(variations)
    names = point_names(points)
    cases, errors = [], []
    for values in points:
        try:
            cases.append(load_case(path, [*settings, *_settings(values)]))
        except InputError as error:
            errors += _named(str(error), values).splitlines()
    if errors:
        # The same mistake comes back with every value of the other keys.
        raise InputError("\n".join(dict.fromkeys(errors)))
    by_name = dict(zip(names, points, strict=True))
    record = Record(path.name, cases[0].name, tuple(settings), by_name)
    return Plan(record, tuple(map(Point, names, points, cases)))


def plan_ensemble(case: Case) -> Plan:
    """Return the members of a case's ensemble, which differ in their seeds."""
    assert case.ensemble is not None
    first = case.ensemble.seed
    seeds = range(first, first + case.ensemble.size)
    points = [{"seed": str(seed)} for seed in seeds]
    names, text = point_names(points), case.path.name
    cases = [_member(case, seed) for seed in seeds]
    record = Record(text, case.name, case.overrides, dict(zip(names, points, strict=True)))
    return Plan(record, tuple(map(Point, names, points, cases)))


def _member(case: Case, seed: int) -> Case:
    """The member of a seed; its input, run again, is this member and no ensemble."""
    assert case.ensemble is not None
    scatter = case.ensemble.scatter
    changes = (f"seed={seed}", "ensemble=null", *(one.setting(seed) for one in scatter))
    if not scatter:
        overrides = (*case.overrides, *changes)
        return replace(case, seed=seed, ensemble=None, overrides=overrides)
    drawn = dict(one.entry(seed) for one in scatter)
    read = load_case(case.path, [*case.overrides, *changes])
    # Another run's state, where it starts from one, says at which voltages it begins.
    protocol = read.protocol if case.initial is None else case.protocol
    return replace(read, drawn=drawn, protocol=protocol)


def point_names(points: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a folder name per point: a number, and every key with its value.

    Keys are shortened from the left while they stay different, numbers to four digits.
    """
    shorts = _short_keys(list(points[0]))
    width = max(2, len(str(len(points))))
    names = []
    for number, values in enumerate(points, start=1):
        parts = (f"{shorts[key]}_{_readable(value)}" for key, value in values.items())
        names.append("-".join([f"{number:0{width}}", *parts])[:_LONGEST_NAME].rstrip("-_."))
    return names


def _product(variations: Sequence[Variation]) -> list[dict[str, str]]:
    count = math.prod(len(one.values) for one in variations)
    if count > MOST_POINTS:
        raise InputError(f"--vary: makes {count} points; at most {MOST_POINTS} are possible")
    keys = [one.key for one in variations]
    products = itertools.product(*(one.values for one in variations))
    return [dict(zip(keys, values, strict=True)) for values in products]


def _settings(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]


def _named(message: str, values: Mapping[str, str]) -> str:
    """Name the option that the value came from."""
    for text in _settings(values):
        message = message.replace(f"--set {text}:", f"--vary {text}:")
    return message


def _short_keys(keys: Sequence[str]) -> dict[str, str]:
    parts = {key: [part for part in key.split(".") if not part.isdecimal()] for key in keys}
    for length in range(1, max(map(len, parts.values())) + 1):
        shorts = {key: _plain("_".join(parts[key][-length:])) for key in keys}
        if len(set(shorts.values())) == len(keys):
            return shorts
    return {key: _plain(key) for key in keys}


def _readable(value: str) -> str:
    try:
        number, unit = number_and_unit(value)
        value = f"{number:.4g}{'' if unit == '1' else unit}"
    except ValueError:
        pass
    return _plain(value)[:_LONGEST_VALUE]


def _plain(text: str) -> str:
    """Return text that needs no quotes in a shell and no care in a path."""
    kept = text.translate(_ASCII).replace("^", "")
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", kept).lstrip(".").rstrip(".-") or "value"
