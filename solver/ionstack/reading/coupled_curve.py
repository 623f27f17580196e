"""A number of a material that may be a curve of a species' content and the temperature."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from pydantic import PlainValidator

from ionstack.physics.bounds import POSITIVE
from ionstack.physics.registry import Curve
from ionstack.reading.curve_choice import CurveChoice, read_curve
from ionstack.reading.law_choice import Value, read_number
from ionstack.reading.schema import failure_at

_ARGUMENTS = (("x", "1"), ("T", "K"))
THERMAL_CONDUCTIVITY = Curve(
    "thermal_conductivity", "W/(m*K)", _ARGUMENTS, "thermal conductivity of a layer"
)


@dataclass(frozen=True)
class CoupledCurve:
    """A curve of x and T; x is the content of the species `couples`, None where it is not read."""

    curve: CurveChoice
    couples: str | None


def coupled_value(curve: Curve) -> PlainValidator:
    """Make the reader of a positive number, or of a curve with the species under ``couples``."""
    return PlainValidator(partial(_read, curve=curve))


def _read(data: object, curve: Curve) -> Value | CoupledCurve:
    if isinstance(data, CoupledCurve):
        return data
    if not isinstance(data, dict) or not {"formula", "table"} & data.keys():
        return read_number(data, curve.unit, POSITIVE)
    rest = dict(data)
    couples = rest.pop("couples", None)
    if not isinstance(couples, str) and (couples is not None or _reads_content(rest)):
        message = "missing; name the species whose content is x"
        raise failure_at("couples", "couples", message, couples)
    return CoupledCurve(read_curve(rest, curve, POSITIVE), couples)


def _reads_content(data: dict[str, object]) -> bool:
    table = data.get("table")
    if isinstance(table, dict):
        return "x" in table
    return re.search(r"\bx\b", str(data.get("formula"))) is not None
