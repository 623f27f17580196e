"""What the file of an instrument's setup may say; numbers in SI."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from ionstack.physics.bounds import NOT_NEGATIVE, POSITIVE
from ionstack.reading.schema import Origin, PositiveLength, PositiveTime, Strict, quantity
from ionstack.surface_analysis.foreign_schema import LayerModel, SourceModel

# What may be switched off, to see what it does.
Stage = Literal["rates", "resolution", "matrix", "beam", "counting", "migration", "preferential"]

_Length = Annotated[float, quantity("m", NOT_NEGATIVE)]
_Number = Annotated[float, quantity("1", NOT_NEGATIVE)]
_Density = Annotated[float, quantity("1/m^3", NOT_NEGATIVE)]
_Size = Annotated[int, Field(strict=True, ge=1, le=4096)]


class MaterialModel(Origin):
    """Atoms [1/m^3] of a material without what the simulation moves.

    `relative_rate`: how much faster than SiO2 it is sputtered.
    """

    atoms: Annotated[dict[str, _Density], Field(min_length=1)]
    relative_rate: Annotated[float, quantity("1", POSITIVE)]


class SignalModel(Origin):
    """What is counted: a combination of atoms, times a sensitivity that the material changes.

    `attenuation_length` [m] is that of the photoelectrons of XPS.
    """

    of: str
    sensitivity: _Number = 1.0
    matrix: dict[str, _Number] = Field(default_factory=dict)
    attenuation_length: PositiveLength | None = None


class Sputter(Strict):
    """Rate [m/s] of SiO2, time [s] between two analyses, depth [m] over which rates change."""

    rate: Annotated[float, quantity("m/s", POSITIVE)]
    cycle: PositiveTime
    transition: _Length = 0.0


class ResolutionModel(Strict):
    """Lengths [m] that blur a profile; roughness grows by `roughness_growth` per depth."""

    mixing: _Length = 0.0
    roughness: _Length = 0.0
    roughness_growth: _Number = 0.0
    information_depth: _Length = 0.0


class SpecimenModel(Strict):
    """Thickness [m] of the electrodes, which a simulation does not mesh, and what lies below."""

    top: _Length = 0.0
    bottom: _Length = 0.0
    below: list[LayerModel] = Field(default_factory=list)


class Counting(Strict):
    """Counts per analysis of 1e28 atoms per m^3, over the whole specimen; `background` likewise."""

    counts: Annotated[float, quantity("1", POSITIVE)]
    background: _Number = 0.0
    seed: Annotated[int, Field(strict=True, ge=0)] = 1


# Coordinate across whose least value a sector of a device is mirrored.
Mirror = Literal["x", "y"]


class Imaging(Strict):
    """Standard deviation [m] of the beam across, pixels along the wider side, voxels in depth.

    `mirror`: the run is a half or a quarter of the device.
    """

    beam: _Length = 0.0
    pixels: _Size = 128
    depths: _Size = 128
    mirror: list[Mirror] = Field(default_factory=list)


class Migration(Origin):
    """Ions that the charge of the beam drives ahead of the front, in materials `within`.

    `drift`: their speed at the surface over that of the front, negative towards the surface;
    `reach` [m]: depth over which the field falls.
    """

    atoms: Annotated[list[str], Field(min_length=1)]
    within: Annotated[list[str], Field(min_length=1)]
    drift: Annotated[float, quantity("1")]
    reach: PositiveLength


class Preferential(Origin):
    """How much more easily than others kinds of atoms leave the mixed zone."""

    removal: Annotated[dict[str, Annotated[float, quantity("1", POSITIVE)]], Field(min_length=1)]


class Artefacts(Strict):
    """What the beams do to the specimen, off unless given."""

    migration: Migration | None = None
    preferential: Preferential | None = None


class SetupModel(Strict):
    """The whole file; `take_off_angle` [rad] between surface and detected electrons."""

    title: Annotated[str, Field(min_length=1)]
    kind: Literal["tof_sims", "xps"]
    depth_step: PositiveLength = 0.5e-9
    take_off_angle: Annotated[float, quantity("rad", POSITIVE)] = math.pi / 2.0
    sputter: Sputter
    resolution: ResolutionModel = ResolutionModel()
    specimen: SpecimenModel = SpecimenModel()
    source: SourceModel | None = None
    materials: Annotated[dict[str, MaterialModel], Field(min_length=1)]
    species: dict[str, dict[str, float]] = Field(default_factory=dict)
    signals: Annotated[dict[str, SignalModel], Field(min_length=1)]
    artefacts: Artefacts = Artefacts()
    imaging: Imaging = Imaging()
    counting: Counting
