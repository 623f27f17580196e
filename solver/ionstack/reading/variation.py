"""What a campaign varies: ``key=a,b,c`` as on the command line, expanded to a list of values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ionstack.errors import InputError
from ionstack.reading.units import number_and_unit, parse

MOST_VALUES = 10_000
_HELP = (
    "write it as key=a,b,c, key=start:stop:count or key=log(start, stop, count), "
    "for instance temperature=280 K,300 K or temperature=280 K:320 K:5"
)
_SPACED = re.compile(r"(linear|log)\((.*)\)")


@dataclass(frozen=True)
class Variation:
    """A key as of ``--set`` and the values that it takes in turn, as they would be written."""

    key: str
    values: tuple[str, ...]


def parse_variations(texts: Sequence[str], settings: Sequence[str]) -> tuple[Variation, ...]:
    """Return the variations of a command line in their order.

    `settings` are those of ``--set``, which may not give a key that is varied. Raises
    one `InputError` with every mistake.
    """
    taken = {text.partition("=")[0].strip(): "--set" for text in settings}
    found, errors = [], []
    for text in texts:
        try:
            one = _variation(text)
            if one.key in taken:
                raise ValueError(f"{one.key} is given by {taken[one.key]} already")
            taken[one.key] = "another --vary"
            found.append(one)
        except ValueError as error:
            errors.append(f"--vary {text}: {error}")
    if not texts:
        errors.append(f"--vary: nothing to vary; {_HELP}")
    if errors:
        raise InputError("\n".join(errors))
    return tuple(found)


def numbers(values: Sequence[str]) -> tuple[list[float], str] | None:
    """Return the values as numbers in the unit of the first one, or None for other values.

    The unit of plain numbers is ``"1"``.
    """
    try:
        unit = number_and_unit(values[0])[1]
        return [parse(value, unit) for value in values], unit
    except ValueError:
        return None


def _variation(text: str) -> Variation:
    key, equals, listed = text.partition("=")
    if not equals or not all(part.strip() for part in key.split(".")):
        raise ValueError(_HELP)
    if not listed.strip():
        raise ValueError(f"no values; {_HELP}")
    values = [value for element in _split(listed, ",") for value in _expand(element.strip())]
    repeated = next((value for n, value in enumerate(values) if value in values[:n]), None)
    if repeated is not None:
        raise ValueError(f"{repeated!r} is given twice")
    return Variation(key.strip(), tuple(values))


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that stand outside quotes and brackets."""
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            depth += (sign in "([{") - (sign in ")]}")
        if sign == separator and not quote and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    if quote or depth:
        raise ValueError(f"{'a quote' if quote else 'a bracket'} is not closed in {text!r}")
    return parts


def _expand(element: str) -> list[str]:
    """Return the values that one element of the list stands for."""
    if not element:
        raise ValueError("a value is missing between two commas or at the end")
    spaced = _SPACED.fullmatch(element)
    if spaced:
        return _range(element, spaced[1], _split(spaced[2], ","))
    if element[0] in "+-.0123456789" and ":" in element:
        return _range(element, "linear", element.split(":"))
    return [element]


def _range(element: str, kind: str, parts: list[str]) -> list[str]:
    if len(parts) != 3:
        raise ValueError(f"{element!r} needs three parts: start, stop and count")
    first, unit = number_and_unit(parts[0].strip())
    last = parse(parts[1].strip(), unit)
    count = _count(element, parts[2].strip())
    if first == last:
        raise ValueError(f"{element!r} starts where it stops")
    if kind == "log" and not first * last > 0.0:
        raise ValueError(f"{element!r}: a logarithmic range cannot reach or cross zero")
    points = np.geomspace(first, last, count) if kind == "log" else np.linspace(first, last, count)
    return [_written(float(point), unit) for point in points]


def _count(element: str, text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= MOST_VALUES:
        raise ValueError(
            f"{element!r}: the count is {text!r}, not a number from 2 to {MOST_VALUES}"
        )
    return int(text)


def _written(value: float, unit: str) -> str:
    # Twelve digits: 0.1 + 0.2 is written 0.3.
    number = f"{value:.12g}" if math.isfinite(value) else repr(value)
    return number if unit == "1" else f"{number} {unit}"
