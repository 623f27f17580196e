"""Numbers and names as a reader wants them: prefixes, powers of ten, units in brackets."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ionstack.plots.style import prefixed

# Units that take the prefixes from f to M.
_PREFIXABLE = ("A", "V", "s", "C", "J", "W", "S", "F", "Hz", "m", "ohm")
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SIGNS = {"ohm": "Ω", "degC": "°C", "um": "µm"}
_WITH_UNIT = re.compile(r"(.*) \[([^\]]*)\]")


def number(value: Any) -> str:
    """Return a number with four digits, ``1.05 × 10⁻¹³``; other values as they are."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, float):
        return str(value)
    text = f"{value:.4g}"
    if "e" in text:
        digits, power = text.split("e")
        text = f"{digits} × 10{str(int(power)).translate(_RAISED)}"
    return text.replace("-", "−")


def unit(text: str) -> str:
    """Return a unit with raised powers, ``m⁻³``; empty for the unit 1."""
    if text == "1":
        return ""
    text = re.sub(r"\^(-?\d+)", lambda match: match.group(1).translate(_RAISED), text)
    return re.sub(r"[a-zA-Z]+", lambda match: _SIGNS.get(match.group(), match.group()), text)


def quantity(value: Any, of: str) -> str:
    """Return a number with its unit, prefixed where that is usual: ``28.9 µC``."""
    if value is None:
        return number(value)
    plain = isinstance(value, float) and np.isfinite(value) and value != 0.0
    if plain and of in _PREFIXABLE and not (of == "s" and abs(value) >= 1.0):
        factor, prefixed_unit = prefixed(np.array([value]), of)
        return f"{number(value * factor)} {prefixed_unit.replace('ohm', 'Ω')}"
    return f"{number(value)} {unit(of)}".strip()


def split_unit(name: str) -> tuple[str, str]:
    """Return a name such as ``current Pt [A]`` without its unit, and the unit or ``1``."""
    match = _WITH_UNIT.fullmatch(name)
    return (match.group(1), match.group(2)) if match else (name, "1")
