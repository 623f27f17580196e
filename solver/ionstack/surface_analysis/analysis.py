"""What an instrument counts in one state: along the depth, and in every voxel."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from ionstack.errors import InputError
from ionstack.output.counts import CountProfile
from ionstack.output.voxels import VoxelGrid
from ionstack.surface_analysis.counting import counted
from ionstack.surface_analysis.depth_profile import Stage, cycles, erosion, signals
from ionstack.surface_analysis.raster import Raster, raster
from ionstack.surface_analysis.setup import Setup
from ionstack.surface_analysis.specimen import Specimen, specimen_of
from ionstack.surface_analysis.subject import Subject

FloatArray = npt.NDArray[np.float64]
Voxels = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Analysis:
    """A specimen in an instrument; `off` are stages of it that do not act."""

    state: str
    specimen: Specimen
    setup: Setup
    extent: tuple[float, float]
    off: Collection[Stage] = ()

    def profile(self) -> CountProfile:
        """Return counts over the whole specimen, analysis by analysis."""
        worn = erosion(self.specimen, self.setup, self.off)
        frames = cycles(float(worn.time(np.array(self.specimen.bottom))), self.setup)
        middle = 0.5 * (frames[:-1] + frames[1:])
        areas = self.specimen.columns.areas
        expected = {
            name: worn.means(_mean(values, areas), frames) + self.setup.given.counting.background
            for name, values in self._signals()
        }
        drawn = {name: self._drawn(values, "profile", name) for name, values in expected.items()}
        depth = worn.depth(middle)
        materials = tuple(self.specimen.material_at(one) for one in depth)
        return CountProfile(self.state, middle, depth, materials, drawn, expected)

    def raster(self) -> Raster:
        """Return the pixels that the columns fill, the same in all states of a run."""
        imaging = self.setup.given.imaging
        return raster(self.specimen.columns, self.extent, imaging.pixels, imaging.mirror)

    def voxels(
        self, wanted: Collection[str] | None = None, image: Raster | None = None
    ) -> tuple[VoxelGrid, Voxels]:
        """Return counts and expected counts of every voxel, of all signals or of those wanted.

        Voxels are as deep as what is eroded of the specimen at the same time. `image`: the pixels,
        if they have been found before.
        """
        given = self.setup.given
        worn = erosion(self.specimen, self.setup, self.off)
        step = self.specimen.bottom / given.imaging.depths
        edges: FloatArray = np.asarray(step * np.arange(given.imaging.depths + 1), dtype=np.float64)
        frames = worn.time(edges)
        analyses = np.diff(frames) / given.sputter.cycle
        image = image or self.raster()
        columns = len(self.specimen.columns.areas)
        arrays: dict[str, npt.NDArray[np.float32]] = {}
        for name, values in self._signals():
            if wanted is not None and name not in wanted:
                continue
            means = worn.means(np.broadcast_to(values, (columns, values.shape[-1])), frames)
            expected = self._seen(image, means * analyses) + self._background(image, analyses)
            arrays[f"{name} [counts]"] = self._drawn(expected, "map", name).astype(np.float32)
            arrays[f"{name} expected [counts]"] = expected.astype(np.float32)
        low, size = image.pixels.low, image.pixels.size
        grid = VoxelGrid((float(low[0]), float(low[1]), 0.0), (size, size, float(edges[1])))
        return grid, arrays

    def _signals(self) -> Iterator[tuple[str, FloatArray]]:
        """Signals of which there is anything."""
        for name, values in signals(self.specimen, self.setup, self.off):
            if np.any(values > 0.0):
                yield name, values

    def _seen(self, image: Raster, values: FloatArray) -> FloatArray:
        """Spread counts (m, n) of the whole specimen over the pixels and the width of the beam."""
        area = image.copies * self.specimen.columns.areas_within(self.extent).sum()
        pixels = image.image(values / area)
        width = 0.0 if "beam" in self.off else self.setup.given.imaging.beam / image.pixels.size
        for axis in (0, 1):
            if width > 0.0 and pixels.shape[axis] > 1:
                # Reflected at the edges: what is counted stays counted.
                pixels = gaussian_filter1d(pixels, width, axis=axis, mode="reflect")
        return np.asarray(pixels)

    def _background(self, image: Raster, analyses: FloatArray) -> FloatArray:
        pixels = image.pixels.shape[0] * image.pixels.shape[1]
        return np.asarray(self.setup.given.counting.background * analyses / pixels)

    def _drawn(self, expected: FloatArray, *purpose: str) -> FloatArray:
        if "counting" in self.off:
            return expected
        return counted(expected, self.setup.given.counting.seed, self.state, *purpose)


def analysis_of(
    subject: Subject, state: tuple[str, int], setup: Setup, off: Collection[Stage] = ()
) -> Analysis:
    """Put one state of a run into an instrument."""
    name, step = state
    columns = subject.columns(step)
    specimen = specimen_of(columns, subject.fields, step, subject.films, setup)
    return Analysis(name, specimen, setup, (subject.films.width, subject.films.breadth), off)


def chosen(profiles: Sequence[CountProfile], wanted: Sequence[str]) -> tuple[CountProfile, ...]:
    """Return profiles of the same signals: those of any state, or those wanted.

    Raises InputError for a signal of which no state has anything.
    """
    held = tuple(dict.fromkeys(name for one in profiles for name in one.counts))
    for name in wanted:
        if name not in held:
            listed = ", ".join(held)
            raise InputError(
                f"--signals: nothing to count of {name!r} in this run; it has {listed}"
            )
    return tuple(_with_signals(one, tuple(wanted) or held) for one in profiles)


def _with_signals(profile: CountProfile, names: Sequence[str]) -> CountProfile:
    nothing = np.zeros(len(profile.time))
    counts = {name: profile.counts.get(name, nothing) for name in names}
    expected = {name: profile.expected.get(name, nothing) for name in names}
    leading = (profile.state, profile.time, profile.depth, profile.material)
    return CountProfile(*leading, counts, expected)


def _mean(values: FloatArray, areas: FloatArray) -> FloatArray:
    """Mean over the columns (n,) of (m, n), or of what all columns share (n,)."""
    return values if values.ndim == 1 else np.asarray(areas @ values / areas.sum())
