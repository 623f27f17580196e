"""What every kind of measurement consists of: columns, settings, numbers and panels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ionstack.errors import InputError
from ionstack.measure.columns import Columns
from ionstack.metrics.arrays import NAN, FloatArray, evenly
from ionstack.metrics.statistics import cumulative, fit_weibull, spread
from ionstack.plots.panels import Axis, Panel, Series

# A Weibull distribution of fewer values is not worth a line.
_LEAST_WEIBULL = 5


@dataclass(frozen=True)
class Scalar:
    """A named number with unit (``1``: none) and what it means.

    `details`: further numbers about it, name, value and unit, such as its spread.
    """

    name: str
    value: float
    unit: str
    meaning: str
    details: tuple[tuple[str, float, str], ...] = ()


@dataclass(frozen=True)
class Setting:
    """A number that the columns do not hold; without `default` the kind does without it."""

    name: str
    unit: str
    meaning: str
    default: float | None = None


@dataclass(frozen=True)
class Result:
    """Numbers, panels of the figure, and further files by name."""

    scalars: tuple[Scalar, ...]
    panels: tuple[Panel, ...]
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inputs:
    """Columns by role and settings by name (None: not given)."""

    columns: Columns
    settings: Mapping[str, float | None]

    def __getitem__(self, role: str) -> FloatArray:
        """Return the values of a role; of one that the table lacks, KeyError."""
        return self.columns.values[role]

    def get(self, role: str) -> FloatArray | None:
        """Return the values of a role, None if the table has none."""
        return self.columns.values.get(role)

    def setting(self, name: str) -> float | None:
        """Return a setting in its unit, None if it was not given."""
        return self.settings[name]


@dataclass(frozen=True)
class Kind:
    """One kind of measurement.

    `alternatives`: sets of columns of which one is needed; `optional` columns; `settings`;
    `analyse` turns them into a result.
    """

    name: str
    title: str
    alternatives: tuple[tuple[str, ...], ...]
    analyse: Callable[[Inputs], Result]
    optional: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Return every column that the kind knows, each once."""
        needed = [role for roles in self.alternatives for role in roles]
        return tuple(dict.fromkeys([*needed, *self.optional]))


CONDUCTANCE = (("conductance",), ("resistance",), ("current",))
READ = Setting("read_voltage", "V", "voltage at which the current column was read")


def conductance_of(inputs: Inputs) -> FloatArray:
    """Return the conductance [S]: a column, 1/resistance, or current over read voltage."""
    if (given := inputs.get("conductance")) is not None:
        return given
    if (resistance := inputs.get("resistance")) is not None:
        return np.asarray(1.0 / resistance, dtype=np.float64)
    read = inputs.setting("read_voltage")
    if not read:
        raise InputError("a current column needs --set read_voltage=0.1V, other than 0")
    return np.asarray(inputs["current"] / read, dtype=np.float64)


def repeated(
    name: str, values: Iterable[float], unit: str, meaning: str, *, weibull: bool = False
) -> Scalar:
    """Return the mean of repeated values, with their spread and, if asked for, Weibull fit.

    Values that do not exist (NaN) are left out; the detail `count` says how many there were.
    """
    data = np.array(list(values), dtype=np.float64)
    found = data[np.isfinite(data)]
    if len(found) < 2:
        return Scalar(name, float(found[0]) if len(found) else NAN, unit, meaning)
    s = spread(found)
    details = [
        ("count", float(s.count), "1"),
        ("low", s.mean_interval.low, unit),
        ("high", s.mean_interval.high, unit),
        ("variation", s.variation, "1"),
        ("variation.low", s.variation_interval.low, "1"),
        ("variation.high", s.variation_interval.high, "1"),
        ("log_std", s.log_std, "1"),
        *(_weibull(found, unit) if weibull else ()),
    ]
    return Scalar(name, s.mean, unit, meaning, tuple(details))


def _weibull(values: FloatArray, unit: str) -> list[tuple[str, float, str]]:
    one_sign = (values > 0.0).all() or (values < 0.0).all()
    if len(values) < _LEAST_WEIBULL or not one_sign:
        return []
    fit = fit_weibull(values)
    return [("weibull.shape", fit.shape, "1"), ("weibull.scale", fit.scale, unit)]


def distribution_panel(title: str, axis: Axis, sets: Mapping[str, FloatArray]) -> Panel | None:
    """Return cumulative distributions with Weibull fits; None if no set has two values."""
    series: list[Series] = []
    for label, values in sets.items():
        data = np.abs(values[np.isfinite(values)])
        if len(data) < 2:
            continue
        x, y = cumulative(data)
        series.append(Series(x, y, label, "points"))
        series += _weibull_curve(x)
    if not series:
        return None
    return Panel(title, axis, Axis("cumulative probability"), tuple(series))


def _weibull_curve(x: FloatArray) -> list[Series]:
    if len(x) < _LEAST_WEIBULL or x[0] <= 0.0 or x[0] == x[-1]:
        return []
    fit = fit_weibull(x)
    fine = evenly(x[0], x[-1], 200)
    return [Series(fine, -np.expm1(-((fine / fit.scale) ** fit.shape)), mark="fit")]
