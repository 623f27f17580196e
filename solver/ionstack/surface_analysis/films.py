"""Materials below the surface by place: electrodes, films of the mesh, substrate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ionstack.surface_analysis.columns import Columns
from ionstack.surface_analysis.setup_schema import SpecimenModel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Films:
    """Materials of the layers by name, and of the electrodes; lateral size [m] of a film."""

    layers: Mapping[str, str]
    top: str
    bottom: str
    width: float = 1.0
    breadth: float = 1.0


@dataclass(frozen=True)
class Band:
    """A material from `top` to `bottom` (m,) [m] below the surface of each column."""

    material: str
    top: FloatArray
    bottom: FloatArray

    def shares(self, edges: FloatArray) -> FloatArray:
        """Return the share (m, n) that it takes of each depth cell."""
        within = np.clip(edges, self.top[:, None], self.bottom[:, None])
        return np.asarray(np.diff(within) / np.diff(edges))


@dataclass(frozen=True)
class Pile:
    """Electrodes and substrate of thicknesses `given` around the columns of a mesh.

    `layers`: material of each layer that pieces of the columns name by its index.
    """

    columns: Columns
    films: Films
    layers: tuple[str, ...]
    given: SpecimenModel

    @cached_property
    def cover(self) -> FloatArray:
        """Thickness (m,) [m] of the top electrode: its outer face is plane before anything moves.

        Without an electrode the films lie open.
        """
        begin = self.columns.begin
        return self.given.top + (begin - begin.min() if self.given.top else 0.0 * begin)

    @cached_property
    def filled(self) -> FloatArray:
        """Depth (m,) [m] at which the films end."""
        return np.asarray(self.cover + self.columns.thickness)

    @cached_property
    def beneath(self) -> FloatArray:
        """Thickness (m,) [m] of the bottom electrode, whose lower face is plane likewise."""
        end = self.columns.end
        return self.given.bottom + (end.max() - end if self.given.bottom else 0.0 * end)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """What a simulation does not mesh: electrodes and substrate, from the top."""
        found = [Band(self.films.top, 0.0 * self.cover, self.cover)] if self.given.top else []
        lower = self.filled + self.beneath
        if self.given.bottom:
            found.append(Band(self.films.bottom, self.filled, lower))
        for layer in self.given.below:
            found.append(Band(layer.material, lower, lower + layer.thickness))
            lower = lower + layer.thickness
        return tuple(found)

    @property
    def endless(self) -> Band:
        """What goes on below everything: the deepest material."""
        if self.given.bottom or self.given.below:
            material, end = self.bands[-1].material, self.bands[-1].bottom
        else:
            pieces = self.columns.pieces
            deepest = pieces.layer[np.argmax(pieces.start + pieces.length)]
            material, end = self.layers[int(deepest)], self.filled
        return Band(material, end, np.full(len(end), np.inf))

    def at_contacts(self, upper: FloatArray, lower: FloatArray, edges: FloatArray) -> FloatArray:
        """Return the density (m, n) of what contacts hold, given per area (m,) [1/m^2].

        It is spread over the electrode, or over a depth cell of the film where that lies open.
        """
        cell = np.diff(edges)[:1]
        over = np.where(self.cover > 0.0, self.cover, cell)
        under = np.where(self.beneath > 0.0, self.beneath, cell)
        above = Band(self.films.top, 0.0 * over, over)
        below = Band(self.films.bottom, self.filled, self.filled + under)
        result = above.shares(edges) * (upper / over)[:, None]
        return np.asarray(result + below.shares(edges) * (lower / under)[:, None])

    def boundaries(self) -> tuple[tuple[str, float], ...]:
        """Return the mean depth [m] at which each material begins, with its name."""
        found = [(one.material, float(self.columns.mean(one.top))) for one in self.bands]
        return tuple(sorted([*found, *self._begins()], key=lambda one: one[1]))

    def _begins(self) -> Iterator[tuple[str, float]]:
        """Mean depth at which each layer of the mesh begins, over the columns that have it."""
        pieces = self.columns.pieces
        tops = pieces.tops() + self.cover[pieces.column]
        for index in np.unique(pieces.layer):
            begin = np.full(len(self.cover), np.inf)
            own = pieces.layer == index
            np.minimum.at(begin, pieces.column[own], tops[own])
            held = np.isfinite(begin)
            weights = self.columns.areas[held]
            yield self.layers[int(index)], float(weights @ begin[held] / weights.sum())
