"""What an instrument counts in one state: along the depth, and in every voxel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.counts import CountProfile
from ionstack.output.voxels import VoxelGrid
from ionstack.surface_analysis.columns import Columns
from ionstack.surface_analysis.counting import counted
from ionstack.surface_analysis.depth_profile import Erosion, cycles, erosion, signals
from ionstack.surface_analysis.raster import Raster, raster
from ionstack.surface_analysis.setup import Setup
from ionstack.surface_analysis.setup_schema import Stage
from ionstack.surface_analysis.specimen import Specimen, specimen_of
from ionstack.surface_analysis.subject import Subject

FloatArray = npt.NDArray[np.float64]
Voxels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Analysis:
    """A specimen in an instrument; `off` are stages of it that do not act."""

    state: str
    specimen: Specimen
    setup: Setup
    extent: tuple[float, float]
    off: Collection[Stage] = ()

    @cached_property
    def worn(self) -> Erosion:
        """When each depth is reached."""
        return erosion(self.specimen, self.setup, self.off)

    @cached_property
    def signals(self) -> Mapping[str, FloatArray]:
        """Expected counts per analysis by depth cell, of the signals of which there is anything."""
        found = signals(self.specimen, self.setup, self.off)
        return {name: values for name, values in found if np.any(values > 0.0)}

    def profile(self) -> CountProfile:
        """Return counts over the whole specimen, analysis by analysis."""
        worn = self.worn
        areas = self.specimen.columns.areas
        end = _mean(worn.time(np.array([self.specimen.bottom])), areas)
        frames = cycles(float(end[0]), self.setup)
        middle = 0.5 * (frames[:-1] + frames[1:])
        background = self.setup.given.counting.background
        expected = {}
        for name, values in self.signals.items():
            seen = _mean(values, areas) if worn.even else values
            expected[name] = _mean(worn.means(seen, frames), areas) + background
        drawn = {name: self._drawn(values, "profile", name) for name, values in expected.items()}
        depth = _mean(worn.depth(middle), areas)
        materials = tuple(self.specimen.material_at(one) for one in depth)
        return CountProfile(self.state, middle, depth, materials, drawn, expected)

    def image(self) -> Raster:
        """Return the pixels that the columns of the specimen are seen in."""
        imaging = self.setup.given.imaging
        sharp = raster(self.specimen.columns, self.extent, imaging.pixels, imaging.mirror)
        return sharp if "beam" in self.off else sharp.blurred(imaging.beam)

    def voxels(
        self, wanted: Collection[str] | None = None, image: Raster | None = None
    ) -> tuple[VoxelGrid, Iterator[tuple[str, Voxels]]]:
        """Return counts and expected counts of every voxel, of all signals or of those wanted.

        Voxels are as deep as what is eroded of the specimen at the same time. Arrays come one by
        one, as all would fill the memory. `image` is that of another state with the same columns.
        """
        image = self.image() if image is None else image
        depths = self.setup.given.imaging.depths
        step = self.specimen.bottom / depths
        frames = self.worn.time(np.asarray(step * np.arange(depths + 1), dtype=np.float64))
        low, size = image.pixels.low, image.pixels.size
        grid = VoxelGrid((float(low[0]), float(low[1]), 0.0), (size, size, step))
        names = [name for name in self.signals if wanted is None or name in wanted]
        return grid, self._counted(names, image, frames)

    def _counted(
        self, names: Sequence[str], image: Raster, frames: FloatArray
    ) -> Iterator[tuple[str, Voxels]]:
        columns = len(self.specimen.columns.areas)
        analyses = np.diff(frames) / self.setup.given.sputter.cycle
        area = image.copies * self.specimen.columns.areas_within(self.extent).sum()
        for name in names:
            values = self.signals[name]
            means = self.worn.means(np.broadcast_to(values, (columns, values.shape[-1])), frames)
            expected = image.image(means * analyses / area)
            expected += self._background(image, _mean(analyses, self.specimen.columns.areas))
            yield f"{name} [counts]", self._drawn(expected, "map", name).astype(np.float32)
            yield f"{name} expected [counts]", expected.astype(np.float32)

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


def images(analyses: Iterable[Analysis]) -> Iterator[Raster]:
    """Yield the image of each state, the same one as long as the columns stay where they are."""
    before: tuple[Columns, Raster] | None = None
    for one in analyses:
        columns = one.specimen.columns
        if before is None or not _alike(before[0], columns):
            before = columns, one.image()
        yield before[1]


def _alike(one: Columns, other: Columns) -> bool:
    same = np.array_equal(one.places, other.places) and np.array_equal(one.areas, other.areas)
    return same and one.arrangement == other.arrangement


def chosen(profiles: Sequence[CountProfile], wanted: Sequence[str]) -> tuple[CountProfile, ...]:
    """Return profiles of the same signals: those of any state, or those wanted.

    Raises InputError for a signal of which no state has anything.
    """
    held = tuple(dict.fromkeys(name for one in profiles for name in one.counts))
    for name in wanted:
        if name not in held:
            listed = ", ".join(held)
            raise InputError(f"signals: nothing to count of {name!r} in this run; it has {listed}")
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
