"""From atoms in columns to what an instrument expects to count, frame by frame."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ionstack.surface_analysis.artefacts import migrated, zones
from ionstack.surface_analysis.photoelectrons import attenuated
from ionstack.surface_analysis.resolution import Resolution
from ionstack.surface_analysis.setup import TOTAL, Setup
from ionstack.surface_analysis.setup_schema import Stage
from ionstack.surface_analysis.specimen import Specimen
from ionstack.surface_analysis.sputtering import reached

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Density of atoms [1/m^3] at which `counts` are counted with sensitivity 1.
REFERENCE_DENSITY = 1e28


@dataclass(frozen=True)
class Erosion:
    """Times [s] at which the edges of depth cells are reached, (n + 1,), or (m, n + 1) by column.

    Below the last edge it goes on as in the last cell.
    """

    edges: FloatArray
    times: FloatArray

    @property
    def even(self) -> bool:
        """Whether all columns are sputtered alike."""
        return self.times.ndim == 1

    def depth(self, time: FloatArray) -> FloatArray:
        """Return the eroded depths [m] at times (f,) [s], (f,) or (m, f)."""
        below, share = self._passed(time)
        return np.asarray(self.edges[below] + share * np.diff(self.edges)[below])

    def time(self, depth: FloatArray) -> FloatArray:
        """Return the times [s] at which depths (k,) [m] are reached, (k,) or (m, k)."""
        place = np.interp(depth, self.edges, np.arange(len(self.edges)))
        below = np.minimum(place.astype(np.int64), len(self.edges) - 2)
        return _between(self.times, below, place - below)

    def means(self, values: FloatArray, frames: FloatArray) -> FloatArray:
        """Return the mean of cell values (…, n) over the time of each frame, (…, f).

        `frames` (f + 1,) [s], or (m, f + 1) by column.
        """
        sums = np.cumsum(values * np.diff(self.times), axis=-1)
        integral = np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)
        at_frames = _between(integral, *self._passed(frames))
        return np.asarray(np.diff(at_frames, axis=-1) / np.diff(frames))

    def _passed(self, time: FloatArray) -> tuple[IntArray, FloatArray]:
        """Number of the cell that is sputtered at a time, and the share of it that is gone."""
        last = len(self.edges) - 2
        if self.even:
            below = np.searchsorted(self.times, time, "right") - 1
        else:
            # One search for all: each column has a span of time of its own.
            span = np.arange(len(self.times))[:, None] * (1.0 + max(self.times.max(), time.max()))
            found = np.searchsorted((self.times + span).ravel(), (time + span).ravel(), "right")
            below = found.reshape(len(span), -1) - 1 - np.arange(len(span))[:, None] * (last + 2)
        below = np.clip(below, 0, last)
        start = _at(self.times, below)
        return below, np.asarray((time - start) / (_at(self.times, below + 1) - start))


def _at(table: FloatArray, place: IntArray) -> FloatArray:
    """Entries of a table (…, n) at places (f,) of every row, or (m, f) row by row."""
    if place.ndim < 2:
        return np.asarray(table[..., place])
    rows = np.broadcast_to(table, (len(place), table.shape[-1]))
    return np.take_along_axis(rows, place, axis=-1)


def _between(table: FloatArray, below: IntArray, share: FloatArray) -> FloatArray:
    """Interpolate a table by the share of the way from each place to the next."""
    return np.asarray(_at(table, below) * (1.0 - share) + _at(table, below + 1) * share)


def erosion(specimen: Specimen, setup: Setup, off: Collection[Stage] = ()) -> Erosion:
    """Sputter the specimen; without `rates` all materials go as fast as the topmost one."""
    rates = {name: setup.rate(name) for name in specimen.shares}
    if "rates" in off:
        rates = dict.fromkeys(rates, rates[specimen.boundaries[0][0]])
    transition = setup.given.sputter.transition
    times = reached(specimen.shares, rates, specimen.edges, transition)
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
    atoms = _driven(specimen, setup, off)
    special = _preferred(specimen, setup, off)
    seen = {name: values @ special.get(name, matrix).T for name, values in atoms.items()}
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


def _driven(specimen: Specimen, setup: Setup, off: Collection[Stage]) -> Mapping[str, FloatArray]:
    """Atoms by depth cell as the charge of the beam has driven them."""
    given = setup.given.artefacts.migration
    if given is None or "migration" in off:
        return specimen.atoms
    atoms = dict(specimen.atoms)
    edges = specimen.edges
    for zone in zones(specimen.boundaries, given.within, float(edges[-1])):
        for name in given.atoms:
            atoms[name] = migrated(atoms[name], edges, zone, given.drift, given.reach)
    return atoms


def _preferred(
    specimen: Specimen, setup: Setup, off: Collection[Stage]
) -> Mapping[str, FloatArray]:
    """Responses of all kinds of atoms where the beam removes some more easily than others."""
    given = setup.given.artefacts.preferential
    if given is None or "preferential" in off or "resolution" in off:
        return {}
    removal = {name: given.removal.get(name, 1.0) for name in specimen.atoms}
    responses = {
        value: replace(setup.resolution, removal=value).response(specimen.edges)
        for value in set(removal.values())
    }
    return {name: responses[value] for name, value in removal.items()}


def _matrix_factor(shares: Mapping[str, FloatArray], factors: Mapping[str, float]) -> FloatArray:
    """Mean of the factors of the materials that are seen; 1 for one that has none."""
    parts = (share * factors.get(name, 1.0) for name, share in shares.items())
    total = sum(shares.values(), np.zeros(()))
    return np.asarray(sum(parts, np.zeros(())) / np.maximum(total, 1e-12))
