"""The setup of an instrument as read from its file, a shipped one by its name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

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
# Of the density of all atoms: what is that near to 0 is none.
_ROUND_OFF = 1e-12
_LIBRARY = Path(__file__).parents[1] / "data" / "setups"
# Materials and species that every setup knows and may change.
_COMMON = _LIBRARY.with_name("atoms.yaml")


@dataclass(frozen=True)
class Setup:
    """A checked setup: `given` is what its file `path` says, `tree` the same as it is written."""

    path: Path
    given: SetupModel
    tree: Node

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

    @property
    def name(self) -> str:
        """Name of a shipped setup, else the path of its file."""
        return self.path.stem if self.path.parent == _LIBRARY else str(self.path)

    def record(self) -> Any:
        """Return all that the setup says, atoms of materials included, as plain data."""
        return self.tree.plain()

    def lacking(self, materials: Iterable[str], species: Iterable[str]) -> Iterator[str]:
        """Yield what is wrong for materials and species that the setup does not know."""
        known = list(self.given.materials)
        for name in dict.fromkeys(materials):
            if name not in known:
                yield f"materials: {not_among('material', name, known)}"
        for name in species:
            if name not in self.given.species:
                listed = not_among("species of the run", name, list(self.given.species))
                yield f"species: {listed}; write 'species: {{{name}: …}}'"

    def rate(self, material: str) -> float:
        """Return how fast a material is sputtered [m/s]."""
        return self.given.sputter.rate * self.given.materials[material].relative_rate

    def escape_depth(self, signal: str) -> float:
        """Return the depth [m] that the photoelectrons of a signal come from."""
        length = self.given.signals[signal].attenuation_length or 0.0
        return length * math.sin(self.given.take_off_angle)

    def signal(self, name: str, densities: Mapping[str, FloatArray]) -> FloatArray:
        """Return a signal's combination of atoms and `TOTAL` [1/m^3] before any sensitivity.

        Raises InputError if it comes out below 0 by more than round-off.
        """
        names = (*self.atoms, TOTAL)
        formula = Formula(self.given.signals[name].of, names)
        found = np.asarray(formula(*(jnp.asarray(densities[one]) for one in names)))
        least, nothing = float(found.min()), _ROUND_OFF * float(np.max(densities[TOTAL]))
        if least < -nothing:
            keys: Keys = ("signals", name, "of")
            message = f"comes out negative, {least:.3g} 1/m^3; 'max(…, 0)' says what is meant then"
            raise_problems([_problem(self.tree, keys, message)])
        return np.where(found > nothing, found, 0.0)


def available_setups() -> tuple[str, ...]:
    """Return the names of the shipped setups."""
    return tuple(sorted(file.stem for file in _LIBRARY.glob("*.yaml")))


def load_setup(name: str, overrides: Sequence[str] = ()) -> Setup:
    """Read a setup by its path or, of a shipped one, its name; ``key=value`` change it.

    Raises one `InputError` that lists every mistake with its place.
    """
    path = setup_path(name)
    settings = [setting(override) for override in overrides]
    return setup_from(with_settings(_complete(path, ()), settings), path)


def _complete(path: Path, before: tuple[Path, ...]) -> Node:
    """Read a setup over the one that it is like, or over what every setup knows."""
    own = read_yaml(path)
    like = own.child("like")
    if like is None:
        return merged(read_yaml(_COMMON), own)
    where = f"{like.mark}: like"
    base = setup_path(str(like.content), path.parent, where)
    if base in (path, *before):
        raise InputError(f"{where}: {base} is like itself")
    whole = _complete(base, (path, *before))
    ours, theirs = own.child("kind"), whole.child("kind")
    if ours is not None and theirs is not None and ours.content != theirs.content:
        message = f"{ours.content} begins from a setup of {theirs.content}"
        raise InputError(f"{ours.mark}: kind: {message}")
    assert isinstance(own.content, Mapping)
    rest = {key: node for key, node in own.content.items() if key != "like"}
    return merged(whole, replace(own, content=rest))


def setup_from(node: Node, path: Path) -> Setup:
    """Check a complete setup, that of a file or of a run's record.

    Raises one `InputError` that lists every mistake with its place.
    """
    read = validated(SetupModel, node)
    raise_problems(_problems(read, node))
    return Setup(path, read, node)


def setup_path(name: str, folder: Path = Path(), where: str = "--setup") -> Path:
    """Return the file of a setup, one in `folder` or a shipped one.

    Raises InputError, which begins with `where`, if there is neither.
    """
    places = (folder / name, _LIBRARY / f"{name}.yaml")
    found = next((one for one in places if one.is_file()), None)
    if found is None:
        names = available_setups()
        listed = f"shipped: {', '.join(names)}{nearest(name, names)}"
        raise InputError(f"{where} {name!r}: no such file or setup; {listed}")
    return found


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
        if read.kind == "xps" and signal.sensitivity == 0.0:
            message = "must be greater than 0: XPS divides by it"
            yield _problem(node, ("signals", name, "sensitivity"), message)
    yield from _artefact_problems(read, node)
    for keys, material in read.source.named_materials() if read.source else ():
        yield from _unknown_material(read, node, keys, material)
    for index, layer in enumerate(read.specimen.below):
        keys = ("specimen", "below", index, "material")
        yield from _unknown_material(read, node, keys, layer.material)


def _artefact_problems(read: SetupModel, node: Node) -> Iterator[Problem]:
    atoms = list(_atoms(read))
    migration, preferential = read.artefacts.migration, read.artefacts.preferential
    if migration is not None:
        at: Keys = ("artefacts", "migration")
        for index, name in enumerate(migration.atoms):
            if name not in atoms:
                yield _problem(node, (*at, "atoms", index), not_among("atom", name, atoms))
        for index, name in enumerate(migration.within):
            yield from _unknown_material(read, node, (*at, "within", index), name)
    if preferential is not None:
        at = ("artefacts", "preferential")
        for name in preferential.removal:
            if name not in atoms:
                yield _problem(node, (*at, "removal", name), not_among("atom", name, atoms))
        if read.resolution.mixing == 0.0:
            yield _problem(node, at, "acts in the mixed zone, but resolution.mixing is 0")


def _unknown_material(read: SetupModel, node: Node, keys: Keys, material: str) -> Iterator[Problem]:
    if material not in read.materials:
        yield _problem(node, keys, not_among("material", material, list(read.materials)))


def _problem(node: Node, keys: Keys, message: str) -> Problem:
    return Problem(node.place(keys), keys, message)
