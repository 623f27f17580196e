"""A curve of a law as given in a file: a formula, a table of points, or a constant."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, PlainValidator, create_model
from pydantic_core import PydanticCustomError

from ionstack.physics.bounds import ANY, Bounds
from ionstack.physics.curves import Constant, Row, Surface, Table
from ionstack.physics.registry import Curve
from ionstack.reading.formula import Formula
from ionstack.reading.schema import Origin, Strict, failure, failure_at, quantity, read_quantity
from ionstack.reading.units import in_unit

Function = Constant | Formula | Table | Surface

# A curve by place: depth below the top electrode, lateral place, distance from the axis.
PLACE = (("z", "m"), ("x", "m"), ("y", "m"), ("r", "m"))
FOCUS = Curve("focus", "1", PLACE, "field at a place over that of the model")


@dataclass(frozen=True)
class CurveChoice:
    """One curve with its origin; `function` takes and returns SI units.

    `text` shows it in one line. A table holds from `lower` to `upper` of its first
    argument, named `argument`; other curves have no bounds.
    """

    function: Function
    unit: str
    source: str
    fitted: bool = False
    valid: str = ""
    text: str = ""
    argument: str = ""
    lower: float | None = None
    upper: float | None = None

    def covers(self, argument: str, value: float) -> bool:
        """Whether a value of an argument lies inside the table, if it is one."""
        if argument != self.argument or self.lower is None or self.upper is None:
            return True
        return self.lower <= value <= self.upper


class _CurveModel(Origin):
    formula: str | None = None
    table: Any = None
    value: Any = None
    unit: str | None = None


def curve_choice(curve: Curve, bounds: Bounds = ANY) -> PlainValidator:
    """Make the reader of a curve; `bounds` hold for its values in a table."""
    return PlainValidator(partial(read_curve, curve=curve, bounds=bounds))


def read_curve(data: object, curve: Curve, bounds: Bounds = ANY) -> CurveChoice:
    """Read a curve; raise the error of what is wrong with it."""
    if isinstance(data, CurveChoice):
        return data
    if not isinstance(data, dict):
        raise failure("curve", f"expected {_one_of(_READERS)} and 'source:', found {data!r}")
    read = _CurveModel.model_validate(data)
    ways = [way for way in _READERS if getattr(read, way) is not None]
    if len(ways) != 1:
        found = " and ".join(f"'{way}:'" for way in ways) or "none"
        raise failure("curve", f"needs one of {_one_of(_READERS)}, found {found}")
    function, text = _READERS[ways[0]](read, curve, bounds)
    origin = (curve.unit, read.source, read.fitted, read.valid, text)
    return CurveChoice(function, *origin, *_range(function, curve))


def _one_of(keys: Iterable[str]) -> str:
    return " or ".join(f"'{key}:'" for key in keys)


def _formula(read: _CurveModel, curve: Curve, bounds: Bounds) -> tuple[Function, str]:
    text = " ".join(str(read.formula).split())
    scale = _scale(read, curve)
    try:
        function = Formula(text, tuple(name for name, _ in curve.arguments), scale)
    except ValueError as error:
        raise failure_at("formula", "formula", str(error), text) from None
    return function, text if read.unit in (None, curve.unit, "1") else f"({text}) {read.unit}"


def _scale(read: _CurveModel, curve: Curve) -> float:
    """Return the unit of a formula in that of the curve."""
    if read.unit is None and curve.unit == "1":
        return 1.0
    if read.unit is None:
        message = f"missing; the formula needs a unit like '{curve.unit}'"
        raise failure_at("unit", "unit", message, read.formula)
    try:
        zero, one = (in_unit(number, read.unit, curve.unit) for number in (0.0, 1.0))
    except ValueError as error:
        raise failure_at("unit", "unit", str(error), read.unit) from None
    if zero:
        raise failure_at("unit", "unit", f"has another zero; write {curve.unit!r}", read.unit)
    return one


def _constant(read: _CurveModel, curve: Curve, bounds: Bounds) -> tuple[Function, str]:
    text = _with_unit(read.value, read.unit)
    try:
        value = read_quantity(text, curve.unit, bounds)
    except PydanticCustomError as error:
        raise failure_at("value", error.type, error.message(), text) from None
    return Constant(value), f"{value:.6g}"


def _with_unit(entry: object, unit: str | None) -> Any:
    """Give plain numbers, also in lists, the unit that stands beside them."""
    if isinstance(entry, list):
        return [_with_unit(one, unit) for one in entry]
    plain = isinstance(entry, int | float) and not isinstance(entry, bool)
    return f"{entry!r} {unit}" if plain and unit is not None else entry


def _table(read: _CurveModel, curve: Curve, bounds: Bounds) -> tuple[Function, str]:
    names = [name for name, _ in curve.arguments]
    columns = read.table if isinstance(read.table, dict) else {}
    given = tuple(name for name in names if name in columns)
    if len(given) not in (1, 2):
        message = f"expected 'value:' and one or two of {', '.join(names)}"
        raise failure_at("table", "table", message, read.table)
    filled = {**columns, "value": _with_unit(columns.get("value"), read.unit)}
    model = _table_model(curve, given, bounds)
    table = model.model_validate({**read.model_dump(), "table": filled}).table  # type: ignore[attr-defined]
    axes = [tuple(getattr(table, name)) for name in given]
    for name, axis in zip(given, axes, strict=True):
        _check_axis(name, axis)
    _check_values(axes, table.value)
    positions = [names.index(name) for name in given]
    not_negative = max(bounds.above, bounds.least) >= 0.0
    return _tabulated(positions, axes, table.value, not_negative), _size(given, axes)


@functools.cache
def _table_model(curve: Curve, given: tuple[str, ...], bounds: Bounds) -> type[BaseModel]:
    """Make the model of a curve with a table of these arguments."""
    units = dict(curve.arguments)
    columns: dict[str, Any] = {
        name: (list[Annotated[float, quantity(units[name])]], ...) for name in given
    }
    row = list[Annotated[float, quantity(curve.unit, bounds)]]
    columns["value"] = (row if len(given) == 1 else list[row], ...)
    table = create_model("Table", __base__=Strict, **columns)
    return create_model("Tabulated", __base__=_CurveModel, table=(table, ...))


def _check_axis(name: str, axis: Sequence[float]) -> None:
    if len(axis) < 2:
        message = f"needs at least two points, found {len(axis)}"
        raise failure_at(("table", name), "table", message, axis)
    for index, (last, one) in enumerate(pairwise(axis), 1):
        if one <= last:
            message = f"must increase, found {one:g} after {last:g}"
            raise failure_at(("table", name, index), "table", message, one)


def _check_values(axes: Sequence[Sequence[float]], values: Sequence[Any]) -> None:
    """The last argument counts the rows of a table in two, the first the values in each."""
    if len(values) != len(axes[-1]):
        what = "values" if len(axes) == 1 else "rows"
        message = f"{len(axes[-1])} {what} expected, found {len(values)}"
        raise failure_at(("table", "value"), "table", message, values)
    for index, row in enumerate(values if len(axes) == 2 else ()):
        if len(row) != len(axes[0]):
            message = f"{len(axes[0])} values expected, found {len(row)}"
            raise failure_at(("table", "value", index), "table", message, row)


def _tabulated(
    positions: Sequence[int], axes: Sequence[Row], values: Sequence[Any], not_negative: bool
) -> Function:
    if len(axes) == 1:
        return Table(positions[0], axes[0], tuple(values), not_negative)
    rows = tuple(Table(positions[0], axes[0], tuple(row), not_negative) for row in values)
    return Surface(positions[1], axes[1], rows)


def _size(given: Sequence[str], axes: Sequence[Row]) -> str:
    count = " x ".join(str(len(axis)) for axis in axes)
    ranges = (f"{name} {a[0]:g} to {a[-1]:g}" for name, a in zip(given, axes, strict=True))
    return f"table of {count} points, {', '.join(ranges)}"


def _range(function: Function, curve: Curve) -> tuple[str, float | None, float | None]:
    """Return name and bounds of the argument along which points are interpolated."""
    table = function.tables[0] if isinstance(function, Surface) else function
    if not isinstance(table, Table):
        return "", None, None
    return curve.arguments[table.position][0], table.points[0], table.points[-1]


_Reader = Callable[[_CurveModel, Curve, Bounds], tuple[Function, str]]
_READERS: dict[str, _Reader] = {"formula": _formula, "table": _table, "value": _constant}
