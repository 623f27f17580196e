"""The sections of a case file, as strict models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from ionstack.casefile.ambient_schema import Mixture
from ionstack.casefile.boundary_schema import ContactModel, InterfaceModel
from ionstack.casefile.circuit_schema import CircuitModel
from ionstack.casefile.ensemble_scatter import ScatteredNumber, ScatterModel
from ionstack.casefile.heat_schema import HeatModel
from ionstack.casefile.instrument_schema import Instruments, automatic
from ionstack.casefile.mechanics_schema import MechanicsModel
from ionstack.casefile.noise_schema import NoiseModel
from ionstack.casefile.nucleation_schema import NucleationModel
from ionstack.casefile.protocol_schema import StepModel
from ionstack.casefile.reference_values import ReferenceModel
from ionstack.geometry.stack import Name
from ionstack.physics.bounds import FRACTION, POSITIVE
from ionstack.physics.curves import Constant
from ionstack.physics.registry import Curve
from ionstack.reading.curve_choice import PLACE, CurveChoice, read_curve
from ionstack.reading.law_choice import Value
from ionstack.reading.materials import FixedCharge
from ionstack.reading.schema import (
    PositiveTime,
    PositiveVoltage,
    Strict,
    Temperature,
    failure,
    quantity,
    read_quantity,
)

Start = Literal["equilibrium", "as_given"]


@dataclass(frozen=True)
class LayerChoice:
    """What a case says of a layer: no space charge, another fixed charge [1/m^3]."""

    neutral: bool = False
    fixed_charge: Value | CurveChoice | None = None


@dataclass(frozen=True)
class Numerics:
    """Numerical settings; voltages in V, times in s.

    `step_tolerance` bounds the local error of a time step in potential,
    `newton_tolerance` the last update. `fixed_step` switches the step control off.
    `gap_tolerance` bounds the change of the exponent of tunnelling in the last round of a step.
    """

    step_tolerance: float = 5e-4
    newton_tolerance: float = 1e-9
    max_step: float | None = None
    min_step: float = 1e-12
    initial_step: float | None = None
    fixed_step: float | None = None
    solver: Literal["auto", "lu", "mumps", "iterative"] = "auto"
    gap_tolerance: float = 1e-3


@dataclass(frozen=True)
class OutputOptions:
    """What a run writes: field snapshots at breakpoints or none, and figures.

    Between breakpoints a snapshot follows another after `snapshot_every` [s] at the earliest,
    by default not before the next breakpoint. A checkpoint is written every `checkpoint_every`
    seconds of the clock on the wall.
    """

    snapshots: Literal["breakpoints", "none"] = "breakpoints"
    snapshot_every: float | None = None
    figures: bool = True
    checkpoint_every: float = 300.0


@dataclass(frozen=True)
class Initial:
    """The named `state` of another run, in `folder`, from which the device starts.

    `given` is the folder as the case says it; `marks` are the places of both in the file.
    """

    given: str
    state: str
    folder: Path
    marks: tuple[str, str]


@dataclass(frozen=True)
class Observable:
    """A published observable that the case addresses, and how it is taken from the run."""

    row: str
    statement: str
    status: Literal["calibrated", "predicted", "trend"]
    rule: str


class SpeciesModel(Strict):
    """A species; the valence counts elementary charges, with sign, 0 for neutral ones.

    Contents below the `trace` hardly count in the control of steps.
    """

    valence: Annotated[int, Field(strict=True, ge=-8, le=8)]
    trace: Annotated[float, Field(ge=0.0, le=0.01)] = 0.0


class LayerModel(Strict):
    """What the case says of one layer besides its material."""

    neutral: Annotated[bool, Field(strict=True)] = False
    fixed_charge: FixedCharge | None = None


class NumericsModel(Strict):
    """Numerical settings in the file; see `Numerics`."""

    step_tolerance: PositiveVoltage = 5e-4
    newton_tolerance: PositiveVoltage = 1e-9
    max_step: PositiveTime | None = None
    min_step: PositiveTime = 1e-12
    initial_step: PositiveTime | None = None
    fixed_step: PositiveTime | None = None
    solver: Literal["auto", "lu", "mumps", "iterative"] = "auto"
    gap_tolerance: Annotated[float, quantity("1", POSITIVE)] = 1e-3

    @model_validator(mode="after")
    def _steps_ordered(self) -> Self:
        for name in ("max_step", "initial_step", "fixed_step"):
            step = getattr(self, name)
            if step is not None and step < self.min_step:
                message = f"{name} ({step:g} s) is below min_step ({self.min_step:g} s)"
                raise failure("steps", message)
        return self


class OutputModel(Strict):
    """Output options in the file."""

    snapshots: Literal["breakpoints", "none"] = "breakpoints"
    snapshot_every: PositiveTime | None = None
    figures: Annotated[bool, Field(strict=True)] = True
    checkpoint_every: PositiveTime = 300.0


class InitialModel(Strict):
    """Another run's state to start from, in the file."""

    folder: Annotated[str, Field(alias="from", min_length=1)]
    state: Annotated[str, Field(min_length=1)] = "end"


class ObservableModel(Strict):
    """One published observable in the file."""

    row: Annotated[str, Field(min_length=1)]
    statement: Annotated[str, Field(min_length=1)]
    status: Annotated[Literal["calibrated", "predicted", "trend"], Field(alias="class")]
    rule: Annotated[str, Field(min_length=1)]


# Of the random numbers of a run.
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
_CONTENT = Curve("content", "1", PLACE, "occupied share of the sites at the start")


def _read_content(data: object) -> float | CurveChoice:
    """Read a content: a number, or a curve of the place."""
    if isinstance(data, dict | CurveChoice):
        curve = read_curve(data, _CONTENT, FRACTION)
        if isinstance(curve.function, Constant):
            return curve.function.value
        return curve
    return read_quantity(data, "1", FRACTION)


Content = Annotated[float | CurveChoice, PlainValidator(_read_content)]


@dataclass(frozen=True)
class Ensemble:
    """The same case `size` times, with the seeds `seed`, `seed` + 1 and so on.

    Numbers in `scatter` are others in every member.
    """

    size: int
    seed: int
    scatter: tuple[ScatteredNumber, ...] = ()


class EnsembleModel(Strict):
    """An ensemble in the file."""

    size: Annotated[int, Field(strict=True, ge=2, le=10_000)]
    seed: Seed = 0
    scatter: dict[str, ScatterModel] = Field(default_factory=dict)


class CircuitCaseModel(Strict):
    """A case file without a stack: a circuit alone."""

    name: Name | None = None
    title: str = ""
    seed: Seed = 0
    ensemble: EnsembleModel | None = None
    temperature: Temperature = 298.15
    circuit: CircuitModel
    protocol: Annotated[list[StepModel], Field(min_length=1)]
    instruments: Instruments = Field(default_factory=automatic)
    numerics: NumericsModel = NumericsModel()
    output: OutputModel = OutputModel()
    observables: list[ObservableModel] = Field(default_factory=list)
    references: dict[str, list[ReferenceModel]] = Field(default_factory=dict)


class CaseModel(Strict):
    """A whole case file."""

    name: Name | None = None
    title: str = ""
    seed: Seed = 0
    ensemble: EnsembleModel | None = None
    stack: Annotated[str, Field(min_length=1)]
    temperature: Temperature = 298.15
    ambient: Mixture | None = None
    species: Annotated[dict[str, SpeciesModel], Field(min_length=1)]
    layers: dict[str, LayerModel] = Field(default_factory=dict)
    start: Start = "equilibrium"
    initial: InitialModel | None = None
    content: dict[str, dict[str, Content]] = Field(default_factory=dict)
    interfaces: dict[str, InterfaceModel] = Field(default_factory=dict)
    contacts: dict[str, ContactModel]
    heat: HeatModel | None = None
    circuit: CircuitModel | None = None
    mechanics: MechanicsModel | None = None
    nucleation: dict[str, NucleationModel] = Field(default_factory=dict)
    noise: NoiseModel | None = None
    protocol: Annotated[list[StepModel], Field(min_length=1)]
    instruments: Instruments = Field(default_factory=automatic)
    materials: dict[str, Any] = Field(default_factory=dict)
    numerics: NumericsModel = NumericsModel()
    output: OutputModel = OutputModel()
    observables: list[ObservableModel] = Field(default_factory=list)
    references: dict[str, list[ReferenceModel]] = Field(default_factory=dict)
