"""Quantities with units: the border between files and the SI floats inside.

Only a number followed by a unit is understood (``80 nm``, ``1e-12 cm^2/s``,
``25 degC``); no arithmetic is evaluated, so a file cannot run anything here.
"""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NAME = r"(?:[A-Za-zµμΩÅÅ°%]+(?:(?:\^|\*\*)?-?\d{1,2}|(?:\^|\*\*)0\.5)?|1)"
_BETWEEN = r"(?:\s*[*/·]\s*|\s+)"
# Parentheses of one level, as in cm^2/(V s) and (m/V)^0.5.
_GROUP = rf"\(\s*{_NAME}(?:{_BETWEEN}{_NAME})*\s*\)(?:(?:\^|\*\*)(?:-?\d{{1,2}}|0\.5))?"
_FACTOR = rf"(?:{_NAME}|{_GROUP})"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(/?\s*{_FACTOR}(?:{_BETWEEN}{_FACTOR})*)?\s*")
_NOT_FINITE = re.compile(r"\s*[+-]?\.?(?:nan|inf|infinity)\b.*", re.IGNORECASE)


def parse(text: object, unit: str) -> float:
    """Return the number of a quantity expressed in `unit` (``"1"``: dimensionless).

    `text` is a string such as ``"80 nm"``, or a plain number where `unit` is
    ``"1"``. Energies are asked for with ``unit="eV"`` and then come in eV.
    Raises `ValueError` with a sentence for the user if the unit is missing, is
    unknown or has another dimension, or if the number is not finite.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(f"{_found(text)} is not a quantity; {_example(unit)}")
    if isinstance(text, str) and _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text!r} is not a finite number")
    number, unit_text = _split(text, unit) if isinstance(text, str) else (float(text), "")
    if not math.isfinite(number):
        raise ValueError(f"{str(text)!r} is not a finite number")
    if not unit_text and unit != "1":
        raise ValueError(f"{str(text)!r} needs a unit, for instance '{number:g} {unit}'")
    value = _rounded(_convert(number, unit_text or "1", unit))
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is too large")
    return value


def in_unit(value: float, unit: str, shown: str) -> float:
    """Convert an inside value from `unit` to the unit `shown`, e.g. 1e-9 m to 1 nm."""
    return _rounded(_convert(value, unit, shown))


def number_and_unit(text: str) -> tuple[float, str]:
    """Part a quantity into its number and its unit as written; a plain number has unit ``"1"``.

    Raises `ValueError` with a sentence for the user if it is not a finite number with
    or without a known unit.
    """
    match = _QUANTITY.fullmatch(text)
    unit = ((match[2] if match else None) or "1").strip()
    parse(text, unit)
    return float(match[1] if match else text), unit


def in_si(text: str) -> float:
    """Return the number of a quantity of any dimension in units of the SI.

    Raises `ValueError` with a sentence for the user if it is not a quantity.
    """
    number, unit = number_and_unit(text)
    return _rounded(_convert(number, unit, str(_registry().get_base_units(unit)[1])))


def _split(text: str, unit: str) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity{_in(unit)}; {_example(unit)}")
    unit_text = re.sub(r"\s*([*/·])\s*", r"\1", match[2] or "").replace("·", "*")
    return float(match[1]), ("1" + unit_text) if unit_text.startswith("/") else unit_text


def _convert(number: float, unit_text: str, unit: str) -> float:
    import pint

    try:
        scale, offset = _linear(unit_text, unit)
    except pint.DimensionalityError:
        raise ValueError(f"'{number:g} {unit_text}' is not a quantity{_in(unit)}") from None
    except (pint.PintError, AttributeError, ValueError, TypeError):
        raise ValueError(f"unknown unit {unit_text!r}; {_example(unit)}") from None
    return number * scale + offset


@functools.cache
def _linear(unit_text: str, unit: str) -> tuple[float, float]:
    """Return (scale, offset) from one unit to another; only temperatures have an offset."""
    registry = _registry()
    source = registry.parse_units(unit_text)
    at_zero = float(registry.Quantity(0.0, source).to(unit).magnitude)
    at_one = float(registry.Quantity(1.0, source).to(unit).magnitude)
    return _rounded(at_one - at_zero), at_zero


@functools.cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def _rounded(value: float) -> float:
    # 100 * 1e-9 is not 1e-7: fifteen digits drop what the conversion added.
    return float(f"{value:.15g}")


def _in(unit: str) -> str:
    return " without unit" if unit == "1" else f" in {unit}"


def _example(unit: str) -> str:
    return "write a plain number" if unit == "1" else f"write it like '0.25 {unit}'"


def _found(text: object) -> str:
    kinds = {dict: "a mapping", list: "a list", type(None): "nothing", bool: "a truth value"}
    return kinds.get(type(text), repr(text))
