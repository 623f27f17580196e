"""A run, finished or cut off, as the subject of an instrument: fields, films, named states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.field_reader import read_fields
from ionstack.output.run_directory import RunDirectory
from ionstack.output.states import ends_of_steps, states_of
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import read_yaml
from ionstack.surface_analysis.columns import Columns
from ionstack.surface_analysis.contents import Contents
from ionstack.surface_analysis.deformation import Deformation, deformation_of, tilt_of
from ionstack.surface_analysis.extruded import extruded_columns
from ionstack.surface_analysis.films import Films
from ionstack.surface_analysis.sampled import sampled_columns


@dataclass(frozen=True)
class Subject:
    """What is analysed: its fields, films, and the steps of its named states.

    `deformation`: how its points move, None where nothing tells. `layering`: thicknesses [m] of
    its films, from the surface down, where the cells do not tell them apart.
    """

    fields: Contents
    films: Films
    states: tuple[tuple[str, int], ...]
    deformation: Deformation | None = None
    layering: tuple[float, ...] = ()

    def columns(self, step: int) -> Columns:
        """Return the columns at a step, deformed as far as the run knows how.

        Those of the mesh are found once for all steps.
        """
        if self.deformation is None:
            return self._of_mesh
        displacement = self.deformation(step)
        return self._of_mesh.moved(displacement, tilt_of(self.fields, displacement))

    @cached_property
    def _of_mesh(self) -> Columns:
        found = columns_of(self.fields)
        return found.layered(self.layering) if self.layering else found


def columns_of(contents: Contents) -> Columns:
    """Return the columns of any mesh."""
    return extruded_columns(contents) or sampled_columns(contents)


def subject_of(folder: Path, wanted: Sequence[str] = ()) -> Subject:
    """Open a run, all of its named states or those wanted, by name or time in seconds.

    Raises InputError for a folder without fields and for a state that does not exist.
    """
    run = RunDirectory(folder)
    if not folder.exists():
        raise InputError(f"{folder}: no such folder of a run, and no such file")
    if not run.fields.exists():
        raise InputError(f"{folder}: holds no fields (no {run.fields.name} in it)")
    fields = read_fields(run.fields)
    ends = ends_of_steps(run, fields)
    states = chosen_states(folder, fields.times, states_of(run, fields), wanted, ends)
    return Subject(fields, _films(run), states, deformation_of(run, fields))


def chosen_states(
    path: Path,
    times: npt.NDArray[np.float64],
    named: tuple[tuple[str, int], ...],
    wanted: Sequence[str],
    besides: Mapping[str, int] = MappingProxyType({}),
) -> tuple[tuple[str, int], ...]:
    """Return the named states, or those wanted, by name or time in seconds.

    `besides`: steps of states that come only if they are wanted.

    Raises InputError for a state that does not exist.
    """
    known = {**besides, **dict(named)}
    return tuple(_state(path, times, known, text) for text in wanted) or named


def _state(
    path: Path, times: npt.NDArray[np.float64], named: dict[str, int], text: str
) -> tuple[str, int]:
    if text in named:
        return text, named[text]
    try:
        time = float(text.removesuffix("s"))
    except ValueError:
        message = f"--state: {not_among('state', text, list(named))}, or a time in seconds"
        raise InputError(f"{path}: {message}") from None
    first, last = times[0], times[-1]
    if not first <= time <= last:
        raise InputError(f"{path}: --state {text}: the run holds {first:g} s to {last:g} s")
    step = int(np.argmin(np.abs(times - time)))
    return f"t = {times[step]:.4g} s", step


def _films(run: RunDirectory) -> Films:
    """Materials and lateral size of a run's stack."""
    stack: Any = read_yaml(run.case).plain()["stack"]
    lateral = stack["lateral"]
    width = lateral["diameter"] or lateral["width"]
    return Films(
        {layer["name"]: layer["material"] for layer in stack["layers"]},
        stack["top"]["material"],
        stack["bottom"]["material"],
        float(width),
        float(lateral["diameter"] or lateral["depth"]),
    )
