"""From atoms in columns to what an instrument expects to count, frame by frame."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.surface_analysis.photoelectrons import attenuated
from ionstack.surface_analysis.resolution import Resolution
from ionstack.surface_analysis.setup import TOTAL, Setup
from ionstack.surface_analysis.setup_schema import Stage
from ionstack.surface_analysis.specimen import Specimen
from ionstack.surface_analysis.sputtering import reached

FloatArray = npt.NDArray[np.float64]

# Density of atoms [1/m^3] at which `counts` are counted with sensitivity 1.
REFERENCE_DENSITY = 1e28


@dataclass(frozen=True)
class Erosion:
    """Time [s] at which the edges of the cells of a specimen are reached."""

    edges: FloatArray
    times: FloatArray

    def depth(self, time: FloatArray) -> FloatArray:
        """Return the eroded depth [m] at times [s]."""
        return np.interp(time, self.times, self.edges)

    def time(self, depth: FloatArray) -> FloatArray:
        """Return the times [s] at which depths [m] are reached."""
        return np.interp(depth, self.edges, self.times)

    def means(self, values: FloatArray, frames: FloatArray) -> FloatArray:
        """Return the mean of cell values (…, n) over the time of each frame, (…, f)."""
        integral = np.concatenate(
            [np.zeros((*values.shape[:-1], 1)), np.cumsum(values * np.diff(self.times), axis=-1)],
            axis=-1,
        )
        place = np.interp(frames, self.times, np.arange(len(self.times)))
        below = np.minimum(place.astype(np.int64), len(self.times) - 2)
        share = place - below
        at_frames = integral[..., below] * (1.0 - share) + integral[..., below + 1] * share
        return np.asarray(np.diff(at_frames, axis=-1) / np.diff(frames))


def erosion(specimen: Specimen, setup: Setup, off: Collection[Stage] = ()) -> Erosion:
    """Sputter the specimen; without `rates` all materials go as fast as the topmost one."""
    rates = {name: setup.rate(name) for name in specimen.shares}
    if "rates" in off:
        rates = dict.fromkeys(rates, rates[specimen.boundaries[0][0]])
    transition = setup.given.sputter.transition
    times = reached(specimen.mean_shares(), rates, specimen.edges, transition)
    return Erosion(specimen.edges, times)


def cycles(end: float, setup: Setup) -> FloatArray:
    """Return the times (f + 1,) [s] between the analyses, whole ones until the end [s]."""
    cycle = setup.given.sputter.cycle
    count = max(1, int(end / cycle + 1e-9))
    return np.asarray(cycle * np.arange(count + 1), dtype=np.float64)


def signals(
    specimen: Specimen, setup: Setup, off: Collection[Stage] = ()
) -> Iterator[tuple[str, FloatArray]]:
    """Yield the name of each signal and its expected counts per analysis by depth cell.

    Shape (n,) or (m, n), as if every column were the whole specimen; the background not included.
    """
    resolution = Resolution() if "resolution" in off else setup.resolution
    matrix = resolution.response(specimen.edges)
    seen = {name: values @ matrix.T for name, values in specimen.atoms.items()}
    seen[TOTAL] = np.asarray(sum(seen.values(), np.zeros(())))
    shares = {name: values @ matrix.T for name, values in specimen.shares.items()}
    scale = setup.given.counting.counts / REFERENCE_DENSITY
    step = float(specimen.edges[1])
    for name, signal in setup.given.signals.items():
        factor = 1.0 if "matrix" in off else _matrix_factor(shares, signal.matrix)
        values = scale * signal.sensitivity * factor * setup.signal(name, seen)
        if "resolution" not in off and setup.given.kind == "xps":
            values = attenuated(values, setup.escape_depth(name), step)
        yield name, values


def _matrix_factor(shares: Mapping[str, FloatArray], factors: Mapping[str, float]) -> FloatArray:
    """Mean of the factors of the materials that are seen; 1 for one that has none."""
    parts = (share * factors.get(name, 1.0) for name, share in shares.items())
    total = sum(shares.values(), np.zeros(()))
    return np.asarray(sum(parts, np.zeros(())) / np.maximum(total, 1e-12))
