"""Potentiation and depression by pulses: nonlinearity, range, asymmetry, number of states.

Update law of a branch of P pulses, from its first to its last conductance:
G(p) = G_first + (G_last − G_first) (1 − e^(−ν p/P))/(1 − e^(−ν)).

ν is CrossSim's nonlinearity (Agarwal et al., IJCNN 2016) and NeuroSim's P/A (Chen, Peng, Yu,
IEEE TCAD 37, 3067 (2018)); positive where the branch saturates. NeuroSim reads depression
backwards, from the last pulse to the first, which makes its A and its label negative there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar

from ionstack.errors import InputError
from ionstack.metrics.arrays import NAN, FloatArray, IntArray, checked, evenly, ratio, runs

# NeuroSim's label over the largest deviation from the straight line.
_LABEL_SCALE = 10.1
_LARGEST_NU = 200.0
_STRAIGHT = 1e-9


@dataclass(frozen=True)
class Update:
    """One branch of potentiation or depression.

    `pulses`; `first`, `last` [S] of the fitted law; `nu` (CrossSim); `shape` = A/P_max and
    `label` (NeuroSim), negative for a depression that saturates; `residual`: r.m.s. of
    G − law over the range; `cycle_to_cycle`: σ of a single update about the law, over the
    range, which is NeuroSim's σ per √pulse.
    """

    pulses: int
    first: float
    last: float
    nu: float
    shape: float
    label: float
    residual: float
    cycle_to_cycle: float


@dataclass(frozen=True)
class Asymmetry:
    """(ΔG_up + ΔG_dn)/(ΔG_up − ΔG_dn) at equal G: 0 symmetric, ±1 one-sided.

    `conductance` [S], `factor`: shape (n,). `mean_size`: mean of |factor|.
    """

    conductance: FloatArray
    factor: FloatArray
    mean_size: float


def label_of_shape(shape: float) -> float:
    """Return NeuroSim's nonlinearity label of A/P_max; it carries the sign of A.

    10.1 times the largest deviation of the normalised curve from the straight line, which
    lies at p = −a ln(a (1 − e^(−1/a))). A = ±∞ is the straight line, label 0.
    """
    size = abs(shape)
    if size == 0.0 or np.isnan(size):
        raise InputError(f"shape: A/P_max has to differ from 0, not {shape:g}")
    if size > 1e4:
        return float(np.sign(shape)) * _LABEL_SCALE / (8.0 * size)
    rise = -np.expm1(-1.0 / size)
    place = -size * np.log(size * rise)
    deviation = -np.expm1(-place / size) / rise - place
    return float(np.sign(shape) * _LABEL_SCALE * deviation)


def shape_of_label(label: float) -> float:
    """Return A/P_max of NeuroSim's label, −10.1 < label < 10.1; infinite for 0."""
    size = abs(label)
    if not size < _LABEL_SCALE:
        raise InputError(f"label: has to lie between −10.1 and 10.1, not {label:g}")
    if size < 1e-8:
        return float("inf")
    logarithm = brentq(lambda x: label_of_shape(float(np.exp(x))) - size, -40.0, 30.0, xtol=1e-13)
    return float(np.sign(label) * np.exp(logarithm))


def nu_of_shape(shape: float) -> float:
    """Return CrossSim's ν = P_max/A of a NeuroSim shape A/P_max."""
    return ratio(1.0, shape)


def update_curve(share: npt.ArrayLike, nu: float) -> FloatArray:
    """Return (1 − e^(−ν p))/(1 − e^(−ν)) at shares p of the pulses, 0 to 1."""
    p = np.asarray(share, dtype=np.float64)
    if abs(nu) < _STRAIGHT:
        return np.asarray(p + 0.5 * nu * p * (1.0 - p))
    if nu < 0.0:
        # e^(ν(1−p)) instead of e^(−νp): the latter overflows.
        return np.asarray(np.exp(nu * (1.0 - p)) * np.expm1(nu * p) / np.expm1(nu))
    return np.asarray(np.expm1(-nu * p) / np.expm1(-nu))


def fit_update(conductance: npt.ArrayLike) -> Update:
    """Fit the update law to the conductance [S] before the first pulse and after each one.

    Both ends are fitted too, so that noise on them does not bend the curve. Whether the
    branch rises is told by its ends. NaN for a branch without change; at least four values.
    """
    (data,) = checked(4, conductance=conductance)
    share: FloatArray = np.arange(len(data)) / (len(data) - 1.0)
    if np.ptp(data) == 0.0:
        return Update(len(data) - 1, float(data[0]), float(data[0]), *(NAN,) * 5)
    nu = _best_nu(share, data)
    first, last = _ends(share, data, nu)
    law = first + (last - first) * update_curve(share, nu)
    extent = abs(last - first)
    steps = np.diff(data) - np.diff(law)
    # ν about 0 is any curve's A = ±∞; its sign is that of the branch.
    sign = 1.0 if last > first else -1.0
    shape = sign / nu if nu != 0.0 else float("inf")
    return Update(
        len(data) - 1,
        first,
        last,
        nu,
        shape,
        label_of_shape(shape),
        float(np.sqrt(np.mean((data - law) ** 2))) / extent,
        float(np.std(steps, ddof=1)) / extent,
    )


def _best_nu(share: FloatArray, data: FloatArray) -> float:
    """Search ν on a grid in arsinh ν, then between its neighbours."""
    unit = (data - data.mean()) / np.ptp(data)

    def misfit(warped: float) -> float:
        nu = float(np.sinh(warped))
        first, last = _ends(share, unit, nu)
        return float(np.sum((first + (last - first) * update_curve(share, nu) - unit) ** 2))

    end = float(np.arcsinh(_LARGEST_NU))
    grid = np.linspace(-end, end, 121)
    k = int(np.argmin([misfit(x) for x in grid]))
    bounds = (grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)])
    found = minimize_scalar(misfit, bounds=bounds, method="bounded", options={"xatol": 1e-10})
    return float(np.sinh(found.x))


def _ends(share: FloatArray, data: FloatArray, nu: float) -> tuple[float, float]:
    """Return the ends of the law of given ν that fit best (linear least squares)."""
    curve = update_curve(share, nu)
    ends = np.linalg.lstsq(np.stack([1.0 - curve, curve], axis=1), data, rcond=None)[0]
    return float(ends[0]), float(ends[1])


def split_updates(
    conductance: npt.ArrayLike, direction: npt.ArrayLike | None = None
) -> tuple[tuple[FloatArray, int], ...]:
    """Part a sequence of conductances into branches, each with +1 (up) or −1 (down).

    `direction` [n]: sign of the pulse after which each value was read, the first one being
    ignored. Without it the sequence is parted at its largest value if it starts and ends
    lower, at its smallest if it starts and ends higher. A branch starts with the last
    value of the one before.
    """
    (data,) = checked(2, conductance=conductance)
    if direction is None:
        return _by_extreme(data)
    (given,) = checked(2, direction=direction)
    if len(given) != len(data):
        raise InputError(f"direction: has {len(given)} values for {len(data)} conductances")
    signs = np.sign(given[1:]).astype(np.int64)
    if (signs == 0).any():
        raise InputError("direction: has to be positive or negative, not 0, after the first value")
    return tuple((data[a : b + 1], int(signs[a])) for a, b in runs(signs))


def _by_extreme(data: FloatArray) -> tuple[tuple[FloatArray, int], ...]:
    top, bottom = int(np.argmax(data)), int(np.argmin(data))
    middle = 0.5 * (data.max() + data.min())
    ends_low = data[0] < middle and data[-1] < middle
    ends_high = data[0] > middle and data[-1] > middle
    if not (ends_low or ends_high):
        return ((data, 1 if data[-1] > data[0] else -1),)
    turn = top if ends_low else bottom
    rises = 1 if ends_low else -1
    return ((data[: turn + 1], rises), (data[turn:], -rises))


def delta_table(
    conductance: npt.ArrayLike, direction: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return G before a pulse [S], the change ΔG it made [S], and its sign; shape (n − 1,)."""
    parts = split_updates(conductance, direction)
    before = np.concatenate([branch[:-1] for branch, _ in parts])
    change = np.concatenate([np.diff(branch) for branch, _ in parts])
    signs = np.concatenate([np.full(len(branch) - 1, sign) for branch, sign in parts])
    return before, change, signs.astype(np.int64)


def asymmetry(up: npt.ArrayLike, down: npt.ArrayLike, points: int = 50) -> Asymmetry:
    """Compare a rising and a falling branch [S] at conductances that both pass.

    ΔG of a branch is placed midway between the two values and interpolated. ΔG_dn is
    negative. NaN if the branches have no conductance in common.
    """
    (rising,) = checked(3, up=up)
    (falling,) = checked(3, down=down)
    sides = [(0.5 * (b[1:] + b[:-1]), np.diff(b)) for b in (rising, falling)]
    low = max(float(place.min()) for place, _ in sides)
    high = min(float(place.max()) for place, _ in sides)
    if low >= high:
        return Asymmetry(np.empty(0), np.empty(0), NAN)
    common = evenly(low, high, points)
    gain, loss = (np.interp(common, place[o := np.argsort(place)], d[o]) for place, d in sides)
    span = gain - loss
    factor = np.full(points, NAN)
    np.divide(gain + loss, span, out=factor, where=span != 0.0)
    return Asymmetry(common, factor, float(np.mean(np.abs(factor))))


def number_of_states(conductance: npt.ArrayLike) -> float:
    """Return range/σ(ΔG) of a branch: how many states its noise lets one tell apart.

    σ is that of the updates about the fitted law. Infinite without noise.
    """
    update = fit_update(conductance)
    if np.isnan(update.cycle_to_cycle):
        return NAN
    return 1.0 / update.cycle_to_cycle if update.cycle_to_cycle > 0.0 else float("inf")


def conductance_window(conductance: npt.ArrayLike) -> float:
    """Return G_max/G_min of a sequence; NaN if the smallest value is not positive."""
    (data,) = checked(1, conductance=conductance)
    return float(data.max() / data.min()) if data.min() > 0.0 else NAN
