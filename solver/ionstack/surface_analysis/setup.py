"""The setup of an instrument as read from its file, a shipped one by its name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError, nearest
from ionstack.reading.formula import Formula
from ionstack.reading.schema import not_among, validated
from ionstack.reading.yaml_source import (
    Keys,
    Node,
    Problem,
    merged,
    raise_problems,
    read_yaml,
    setting,
    with_settings,
)
from ionstack.surface_analysis.resolution import Resolution
from ionstack.surface_analysis.setup_schema import SetupModel

FloatArray = npt.NDArray[np.float64]

# All atoms together, in formulas of signals.
TOTAL = "total"
_LIBRARY = Path(__file__).parents[1] / "data" / "setups"
# Materials and species that every setup knows and may change.
_COMMON = _LIBRARY.with_name("atoms.yaml")


@dataclass(frozen=True)
class Setup:
    """A checked setup: `given` is what its file `path` says."""

    path: Path
    given: SetupModel

    @cached_property
    def atoms(self) -> tuple[str, ...]:
        """Names of all kinds of atoms, of materials and of what moves."""
        return _atoms(self.given)

    @property
    def prefix(self) -> str:
        """How the names of its files begin, ``sims`` or ``xps``."""
        return self.given.kind.removeprefix("tof_")

    @property
    def resolution(self) -> Resolution:
        """What blurs the profile."""
        return Resolution(**dict(self.given.resolution))

    def rate(self, material: str) -> float:
        """Return how fast a material is sputtered [m/s]."""
        return self.given.sputter.rate * self.given.materials[material].relative_rate

    def escape_depth(self, signal: str) -> float:
        """Return the depth [m] that the photoelectrons of a signal come from."""
        length = self.given.signals[signal].attenuation_length or 0.0
        return length * math.sin(self.given.take_off_angle)

    def signal(self, name: str, densities: Mapping[str, FloatArray]) -> FloatArray:
        """Return a signal's combination of atoms [1/m^3] before any sensitivity."""
        total = sum(densities.values(), np.zeros(()))
        arguments = [*(densities[atom] for atom in self.atoms), total]
        formula = Formula(self.given.signals[name].of, (*self.atoms, TOTAL))
        return np.asarray(formula(*map(jnp.asarray, arguments)))


def available_setups() -> tuple[str, ...]:
    """Return the names of the shipped setups."""
    return tuple(sorted(file.stem for file in _LIBRARY.glob("*.yaml")))


def load_setup(name: str, overrides: Sequence[str] = ()) -> Setup:
    """Read a setup by its path or, of a shipped one, its name; ``key=value`` change it.

    Raises one `InputError` that lists every mistake with its place.
    """
    path = _path(name)
    own = with_settings(read_yaml(path), [setting(override) for override in overrides])
    node = merged(read_yaml(_COMMON), own)
    read = validated(SetupModel, node)
    raise_problems(_problems(read, node))
    return Setup(path, read)


def _path(name: str) -> Path:
    shipped = _LIBRARY / f"{name}.yaml"
    if shipped.is_file() and not Path(name).exists():
        return shipped
    if not Path(name).exists():
        names = available_setups()
        listed = f"shipped: {', '.join(names)}{nearest(name, names)}"
        raise InputError(f"--setup {name!r}: no such file or setup; {listed}")
    return Path(name)


def _atoms(read: SetupModel) -> tuple[str, ...]:
    materials = (atom for one in read.materials.values() for atom in one.atoms)
    moved = (atom for one in read.species.values() for atom in one)
    return tuple(dict.fromkeys((*materials, *moved)))


def _problems(read: SetupModel, node: Node) -> Iterator[Problem]:
    arguments = (*_atoms(read), TOTAL)
    for name, signal in read.signals.items():
        try:
            Formula(signal.of, arguments)
        except ValueError as error:
            yield _problem(node, ("signals", name, "of"), str(error))
        for material in signal.matrix:
            keys: Keys = ("signals", name, "matrix", material)
            yield from _unknown_material(read, node, keys, material)
        if read.kind == "xps" and signal.attenuation_length is None:
            message = "attenuation_length missing: XPS needs that of every signal"
            yield _problem(node, ("signals", name), message)
    for index, layer in enumerate(read.specimen.below):
        keys = ("specimen", "below", index, "material")
        yield from _unknown_material(read, node, keys, layer.material)


def _unknown_material(read: SetupModel, node: Node, keys: Keys, material: str) -> Iterator[Problem]:
    if material not in read.materials:
        yield _problem(node, keys, not_among("material", material, list(read.materials)))


def _problem(node: Node, keys: Keys, message: str) -> Problem:
    return Problem(node.place(keys), keys, message)
