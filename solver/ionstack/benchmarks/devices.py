"""The reference problems as models and meshes, made without case files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities
from ionstack.assembly.equations import transient_equations
from ionstack.assembly.neutrality import Contents, work_functions
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Dimension, Electrode, Lateral, Layer, Stack
from ionstack.models.layout import build_layout
from ionstack.models.model import (
    Arrhenius,
    BoundLaw,
    ContactModel,
    InterfaceModel,
    Model,
    ReactionModel,
    RegionModel,
    SpeciesModel,
)
from ionstack.models.place_profile import Profile
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import thermal_voltage
from ionstack.physics.registry import Kind
from ionstack.solving.equilibrium import Start, find_equilibrium
from ionstack.solving.linear import Choice, LinearSolver
from ionstack.solving.newton import Newton, NewtonControl

Floats = NDArray[np.float64]

TEMPERATURE = 300.0
THERMAL = thermal_voltage(TEMPERATURE)
INTRINSIC = 1e16  # 1/m^3, of the diodes
ACCEPTORS = 2e23  # 1/m^3
RESERVOIR = 1e20  # 1/m^3, of the two layers
UNIT = Lateral("rectangle", None, 1.0, 1.0, 1, 1.0)  # results per m^2


@dataclass(frozen=True)
class Device:
    """Equations of a problem, ready to be solved."""

    system: System
    newton: Newton

    def unknowns(self) -> Floats:
        """Copy of the owned unknowns [V]."""
        return np.array(self.system.unknowns.getArray(readonly=1))

    def restore(self, unknowns: Floats) -> None:
        """Put unknowns back (collective)."""
        self.system.unknowns.setArray(unknowns)
        self.system.refresh_ghosts()


def bound(kind: Kind, name: str, **values: float) -> BoundLaw:
    """Return a registered law with numbers that do not depend on temperature."""
    numbers = {key: Arrhenius(value, 0.0, TEMPERATURE) for key, value in values.items()}
    return BoundLaw(laws(kind)[name], numbers)


def species(name: str, z: int, sites: float, diffusivity: float, level: float) -> SpeciesModel:
    """Return a dilute species that drifts and diffuses."""
    statistics = bound("statistics", "boltzmann")
    transport = bound("transport", "sedan", diffusivity=diffusivity)
    return SpeciesModel(name, z, level, sites, statistics, None, transport)


def set_up(
    stack: Stack,
    model: Model,
    contents: Contents,
    solver: Choice = "auto",
    comm: MPI.Comm = MPI.COMM_SELF,
    control: NewtonControl | None = None,
    start: Start = "equilibrium",
) -> Device:
    """Mesh a stack and put the model into its start at 0 V (collective)."""
    volumes = build_control_volumes(build_mesh(stack, comm))
    layout = build_layout(volumes, model)
    ohmic = work_functions(Entities(model, volumes, layout), contents)
    system = System(transient_equations(model, volumes, layout, ohmic))
    find_equilibrium(system, contents, solver, start)
    newton = Newton(system, LinearSolver(system, solver), control or NewtonControl())
    return Device(system, newton)


def diode_model(doping: Profile, area_contacts: tuple[str, str] = ("anode", "cathode")) -> Model:
    """Return silicon with electrons, holes and recombination between ohmic contacts.

    `doping` is the net doping [1/m^3], positive for donors.
    """
    carriers = (
        species("electron", -1, INTRINSIC, 0.1 * THERMAL, 0.0),
        species("hole", 1, INTRINSIC, 0.04 * THERMAL, 0.0),
    )
    trap = bound(
        "reaction",
        "srh",
        first_lifetime=1e-8,
        second_lifetime=1e-8,
        first_density=INTRINSIC,
        second_density=INTRINSIC,
    )
    pair = ReactionModel("recombination", (("electron", 1), ("hole", 1)), (), trap)
    region = RegionModel("film", 11.7, doping, carriers, (pair,))
    metal = bound("contact", "ohmic")
    supplied = {one.name: metal for one in carriers}
    contacts = tuple(ContactModel(name, None, supplied) for name in area_contacts)
    return Model(TEMPERATURE, {"electron": -1, "hole": 1}, (region,), (), contacts)


def line_stack(
    layers: Mapping[str, tuple[float, float, float]], contacts: tuple[str, str]
) -> Stack:
    """Return a 1-D stack of 1 m^2; thickness, first cell [m] and growth of every layer."""
    films = tuple(Layer(name, name, *sizes) for name, sizes in layers.items())
    return _stack("1d", films, contacts, UNIT)


def _stack(
    dimension: Dimension,
    films: tuple[Layer, ...],
    contacts: tuple[str, str],
    lateral: Lateral,
    mesh_file: Path | None = None,
) -> Stack:
    top, bottom = (Electrode(name, name) for name in contacts)
    return Stack("bench", Path("bench.yaml"), dimension, films, top, bottom, lateral, mesh_file)


def diode_line(cells: int = 1000) -> tuple[Stack, Model]:
    """Return the 1-D diode: 4 um, uniform cells, abrupt junction with an undoped node."""
    length = 4e-6
    step = length / cells

    def doping(points: Floats) -> Floats:
        number = np.rint(points[:, 0] / step) - cells // 2
        return np.asarray(np.where(number < 0, -ACCEPTORS, np.where(number > 0, 5e22, 0.0)))

    stack = line_stack({"film": (length, step, 1.0)}, ("anode", "cathode"))
    return stack, diode_model(doping)


def ion_film(first_cell: float, growth: float) -> tuple[Stack, Model]:
    """Return 100 nm of mobile ions on a fixed background between blocking electrodes."""
    contacts = ("left", "right")
    stack = line_stack({"film": (1e-7, first_cell, growth)}, contacts)
    return stack, ion_model(contacts)


def ion_model(contacts: tuple[str, str]) -> Model:
    """Return mobile cations on a fixed background, which no contact supplies."""
    density = 1e25
    ions = species("ions", 1, density, 1e-16, 0.0)
    region = RegionModel("film", 25.0, -density, (ions,))
    metals = tuple(ContactModel(name, 0.0, {}) for name in contacts)
    return Model(TEMPERATURE, {"ions": 1}, (region,), (), metals)


def two_layers(cells: int, dimension: Dimension = "1d") -> tuple[Stack, Model]:
    """Return two films with a jump of solubility by 3 in which a neutral species diffuses.

    Thickness 0.4 and 0.6, diffusivity 2 and 1; density 1 at the top and 0 at the bottom,
    in units of 1 m, 1 m^2/s and `RESERVOIR` particles per m^3. `cells` along the whole
    thickness, and in 2-D as many over a width of 1.
    """
    volts = 30.0 * THERMAL  # the bottom metal holds exp(-30) of the sites
    levels = (volts, volts - THERMAL * np.log(3.0))
    regions = tuple(
        RegionModel(name, 1.0, 0.0, (species("H", 0, RESERVOIR, diffusivity, level),))
        for name, diffusivity, level in zip(("upper", "lower"), (2.0, 1.0), levels, strict=True)
    )
    merged = InterfaceModel(("upper", "lower"), {"H": bound("interface", "continuous")})
    supply = bound("contact", "fixed_potential", chemical_potential=volts)
    drain = bound("contact", "finite_rate", velocity=1e9)
    metals = (ContactModel("left", 0.0, {"H": supply}), ContactModel("right", 0.0, {"H": drain}))
    size = 1.0 / cells
    films = (Layer("upper", "upper", 0.4, size, 1.0), Layer("lower", "lower", 0.6, size, 1.0))
    stack = _stack(dimension, films, ("left", "right"), replace(UNIT, cells=cells))
    return stack, Model(TEMPERATURE, {"H": 0}, regions, (merged,), metals)
