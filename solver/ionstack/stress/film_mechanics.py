"""Mechanics of a 1-D device: films, metals of given thickness, clamp or substrate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.casefile.case import Case
from ionstack.casefile.mechanics_schema import MechanicsChoice, PorosityChoice
from ionstack.geometry.graph import ControlVolumes
from ionstack.mechanics.film import FilmStack, FilmTrial, Sheets, Strains, Substrate
from ionstack.physics.porosity import film_triaxiality
from ionstack.physics.solids import Solid
from ionstack.reading.solid_schema import SolidChoice
from ionstack.stress.closures import (
    Growth,
    field_factors,
    opened_pores,
    over_crests,
    rough_strains,
)
from ionstack.stress.mechanical_layers import SUBSTRATE, clamped_films, solid_choices
from ionstack.stress.stress_field import Stressed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


# What is remembered of the metals, as it is.
_REMEMBERED = ("porosity", "stretch")


class FilmMechanics:
    """Plane-biaxial stress of every node and of the metals, see `stress.Solver`."""

    def __init__(self, case: Case, volumes: ControlVolumes) -> None:
        """Set up the films of a 1-D case with a section `mechanics`."""
        assert case.mechanics is not None
        self._choice: MechanicsChoice = case.mechanics
        self._volumes, self._comm = volumes, volumes.comm
        self._names = [*volumes.regions, *self._choice.metals]
        choices = solid_choices(case)
        self._solids = [choices[name].solid() for name in self._names]
        self._inside = [
            np.flatnonzero(volumes.node_region == index) for index in range(len(volumes.regions))
        ]
        self._clamped = clamped_films(choices, volumes)
        self._share = self._clamped.share
        substrate = _substrate(case, choices)
        self._films = FilmStack(list(self._sheets(case)), substrate, self._comm)
        self._gap = {one.name: one.thickness for one in case.stack.layers}
        self._porosity = {one.metal: one.initial.value for one in self._choice.porosity}
        self._stretch = dict.fromkeys(self._choice.metals, 0.0)
        # Field factors of the faces in the accepted state.
        self._crests = [1.0 for _ in self._choice.roughness]
        self._trial: tuple[FilmTrial, Floats, dict[str, float]] | None = None

    @property
    def local(self) -> bool:
        """Whether the stress of a node is linear in its own strain, always with one slope."""
        films = self._solids[: len(self._inside)]
        return self._choice.substrate is None and not any(solid.flows for solid in films)

    @property
    def followed(self) -> bool:
        """Whether metals follow the films even where `local`."""
        return bool(self._choice.roughness)

    @property
    def solved(self) -> bool:
        """Whether there is a solution to tell of."""
        return self._trial is not None

    def clamped(self) -> Stressed:
        """Residual stress, as if all films were clamped and elastic."""
        return Stressed(self._clamped.stress, self._clamped.slope)

    def solve(self, strain: Floats, step: float, heating: float) -> Stressed:
        """Stress at volume strains after a step [s] and a rise of the temperature [K]."""
        found, stretch = self._followed(strain, step, heating)
        self._trial = found, strain, stretch
        count = len(strain)
        order = np.concatenate(self._inside)
        stress, slope = np.zeros((2, count))
        stress[order], slope[order] = found.stress[:count], found.slope[:count]
        return Stressed(2.0 * self._share * stress, -2.0 * self._share**2 * slope)

    def _followed(
        self, strain: Floats, step: float, heating: float
    ) -> tuple[FilmTrial, dict[str, float]]:
        """The films, and strains of the metals that follow their faces, to the third round."""
        stretch = self._stretch
        for _ in range(2):
            found = self._films.solve(self._free(strain, stretch), step, heating)
            now = self._rough_strains(found, strain)
            if now == stretch:
                return found, stretch
            stretch = now
        return self._films.solve(self._free(strain, stretch), step, heating), stretch

    def accept(self) -> None:
        """Take the last solution as the state; pores open with the plastic strain."""
        if self._trial is None:
            return
        trial, strain, self._stretch = self._trial
        self._crests = self._field_factors(trial, strain)
        before = self._films.strains
        for one in self._choice.porosity:
            self._porosity[one.metal] = self._opened(one, before, trial)
        self._films.accept(trial)

    def _opened(self, one: PorosityChoice, before: Strains, trial: FilmTrial) -> float:
        part = self._films.parts[self._names.index(one.metal)]
        grown = opened_pores(
            one,
            np.full(part.stop - part.start, self._porosity[one.metal]),
            before.equivalent[part],
            trial.strains.equivalent[part],
            film_triaxiality(trial.stress[part]),
        )
        return float(self._of_metal(grown))

    def opened(self, metal: str, nodes: Ints) -> Floats:
        """Porosity that plastic strain has opened, the same at all nodes of the metal's face."""
        found = np.zeros(len(nodes))
        for one in self._choice.porosity:
            if one.metal == metal:
                found += self._porosity[metal] - one.initial.value
        return found

    def crests(self, metal: str, nodes: Ints, distance: Floats | float = 0.0) -> Floats:
        """Field over the crests of a metal's face over the mean one, the same at all places."""
        found = over_crests(self._choice.roughness, self._crests, self._gap, metal, distance)
        return np.array(np.broadcast_to(found, len(nodes)))

    def memory(self) -> Mapping[str, Any]:
        """Plastic strains by part, in the order of depth (collective)."""
        parts = []
        for part in self._films.parts:
            values = np.array([one[part] for one in self._films.strains])
            parts.append(self._gathered(part, values).tolist())
        known = {name: getattr(self, f"_{name}") for name in _REMEMBERED}
        return {"strains": parts, "crests": self._crests} | known

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another one stood (collective)."""
        for name in _REMEMBERED:
            setattr(self, f"_{name}", dict(memory[name]))
        self._crests = list(memory["crests"])
        plastic, equivalent = np.zeros((2, len(self._films.strains.plastic)))
        for part, known in zip(self._films.parts, memory["strains"], strict=True):
            depth, first, second = np.array(known).reshape(3, -1)
            places = np.searchsorted(depth, self._films.depth[part])
            plastic[part], equivalent[part] = first[places], second[places]
        self._films.strains = Strains(plastic, equivalent)

    @property
    def names(self) -> list[str]:
        """Names of the entries, with units."""
        films = self._volumes.regions
        kinds = [("stress", "Pa", self._names), ("plastic_strain", "1", self._names)]
        kinds += [("growth", "m", list(films)), ("porosity", "1", list(self._porosity))]
        kinds += [("field_factor", "1", [one.metal for one in self._choice.roughness])]
        named = [f"{kind}.{name} [{unit}]" for kind, unit, names in kinds for name in names]
        return [*named, "curvature [1/m]"] if self._choice.substrate else named

    def entries(self) -> Mapping[str, float]:
        """Mean stress and growth of every layer, plastic strain and porosity (collective)."""
        assert self._trial is not None
        trial, strain, _ = self._trial
        parts = self._films.parts
        values = [self._mean(part, trial.stress) for part in parts]
        values += [self._mean(part, trial.strains.equivalent) for part in parts]
        values += [self._growth(name, trial, strain) for name in self._volumes.regions]
        values += [*self._porosity.values(), *self._field_factors(trial, strain)]
        bend = [trial.bend] if self._choice.substrate else []
        return dict(zip(self.names, [*values, *bend], strict=True))

    def _free(self, strain: Floats, stretch: Mapping[str, float]) -> Floats:
        """Strain in the plane of every sheet if it were free."""
        parts = [self._share[nodes] * strain[nodes] for nodes in self._inside]
        for metal, part in zip(
            self._choice.metals, self._films.parts[len(self._inside) :], strict=True
        ):
            parts.append(np.full(part.stop - part.start, -stretch[metal]))
        return np.concatenate(parts)

    def _rough_strains(self, trial: FilmTrial, strain: Floats) -> dict[str, float]:
        """What roughness strains the metals, from the growth of the films below them."""
        strains = rough_strains(self._choice.roughness, self._growing(trial, strain))
        return {metal: float(strains.get(metal, 0.0)) for metal in self._choice.metals}

    def _field_factors(self, trial: FilmTrial, strain: Floats) -> list[float]:
        growth = self._growing(trial, strain)
        return [float(one) for one in field_factors(self._choice.roughness, growth, self._gap)]

    def _growing(self, trial: FilmTrial, strain: Floats) -> Growth:
        return lambda name: np.asarray(self._growth(name, trial, strain))

    def _growth(self, name: str, trial: FilmTrial, strain: Floats) -> float:
        """Growth of a layer's thickness [m] (collective)."""
        index = self._names.index(name)
        part, nodes = self._films.parts[index], self._inside[index]
        across = trial.across[part] + (1.0 - 2.0 * self._share[nodes]) * strain[nodes]
        return float(self._comm.allreduce(float(across @ self._films.thickness[part])))

    def _mean(self, part: slice, values: Floats) -> float:
        """Mean of a part over its thickness (collective)."""
        weight = self._films.thickness[part]
        total, size = self._comm.allreduce(np.array([weight @ values[part], weight.sum()]))
        return float(total / size)

    def _of_metal(self, values: Floats) -> float:
        """Value of a metal, which lies on the first rank (collective)."""
        found = self._comm.bcast(float(values[0]) if self._comm.rank == 0 else 0.0, root=0)
        return float(found)

    def _gathered(self, part: slice, values: Floats) -> Floats:
        """Depths and values of a part's owned sheets, in order (collective)."""
        own = self._films.thickness[part] > 0.0
        rows = np.vstack([self._films.depth[part], values])[:, own]
        every = np.hstack(self._comm.allgather(rows))
        return np.asarray(every[:, np.argsort(every[0], kind="stable")])

    def _sheets(self, case: Case) -> Iterator[Sheets]:
        volumes = self._volumes
        owned = np.arange(len(volumes.node_region)) < volumes.n_owned_nodes
        thickness = np.where(owned, volumes.node_volume / case.stack.area, 0.0)
        for nodes, solid in zip(self._inside, self._solids, strict=False):
            yield Sheets(solid, volumes.depth[nodes], thickness[nodes])
        for metal, solid in zip(
            self._choice.metals, self._solids[len(self._inside) :], strict=True
        ):
            yield _metal(case, metal, solid, self._comm)


def _metal(case: Case, name: str, solid: Solid, comm: MPI.Comm) -> Sheets:
    """A metal as one sheet of the first rank."""
    assert case.mechanics is not None
    thickness = case.mechanics.metals[name]
    top = name == case.stack.top.name
    depth = -0.5 * thickness if top else case.stack.thickness + 0.5 * thickness
    here = slice(0, 1 if comm.rank == 0 else 0)
    return Sheets(solid, np.array([depth])[here], np.array([thickness])[here])


def _substrate(case: Case, choices: Mapping[str, SolidChoice]) -> Substrate | None:
    assert case.mechanics is not None
    read = case.mechanics.substrate
    if read is None:
        return None
    below = case.mechanics.metals.get(case.stack.bottom.name, 0.0)
    return Substrate(choices[SUBSTRATE].solid(), case.stack.thickness + below, read.thickness)
