"""Checkpoints: what a run must remember, in one HDF5 file that no kill can tear.

Arrays over the unknowns stand in the order of vertex of the mesh, region and field, which
does not depend on the partition: what two ranks wrote, one or three can read. Rank 0
reads and writes with any build of h5py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ionstack.errors import InputError, raise_together
from ionstack.output.atomic import replacing

if TYPE_CHECKING:
    from mpi4py import MPI

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FORMAT = 2
# Where a cut-off run goes on; every other name is that of a state in `STATES`.
LATEST = "latest"
STATES = "states"
_TAG = 5116


@dataclass(frozen=True)
class Memory:
    """Plain data (what JSON holds) and arrays (..., n_owned) over this rank's unknowns."""

    plain: Mapping[str, Any]
    owned: Mapping[str, Floats] = field(default_factory=dict)


class Places:
    """The place of every owned unknown in an order that all partitions share."""

    def __init__(self, comm: MPI.Comm, keys: Ints) -> None:
        """Sort the `keys` of all ranks' owned unknowns, each a different number (collective)."""
        self._comm = comm
        self._mine = len(keys)
        self._counts = comm.allgather(self._mine)
        pieces = list(self._arriving(keys))
        self.keys = np.sort(np.concatenate(pieces)) if pieces else keys[:0]
        self._places = [np.searchsorted(self.keys, piece) for piece in pieces]

    def gather(self, local: Floats) -> Floats:
        """Bring an array (..., n_owned) to rank 0 as (..., n_global) (collective).

        Other ranks get one without columns.
        """
        whole = np.empty((*local.shape[:-1], len(self.keys)))
        for place, piece in zip(self._places, self._arriving(local), strict=True):
            whole[..., place] = piece
        return whole

    def scatter(self, whole: Floats) -> Floats:
        """The way back (collective); other ranks give an array without columns."""
        if self._comm.rank == 0:
            for rank, place in enumerate(self._places[1:], start=1):
                self._comm.Send(np.ascontiguousarray(whole[..., place]), dest=rank, tag=_TAG)
            return np.ascontiguousarray(whole[..., self._places[0]])
        local = np.empty((*whole.shape[:-1], self._mine))
        self._comm.Recv(local, source=0, tag=_TAG)
        return local

    def _arriving(self, local: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield every rank's array on rank 0, one at a time, nothing elsewhere."""
        local = np.ascontiguousarray(local)
        if self._comm.rank != 0:
            self._comm.Send(local, dest=0, tag=_TAG)
            return
        yield local
        for rank in range(1, self._comm.size):
            piece = np.empty((*local.shape[:-1], self._counts[rank]), dtype=local.dtype)
            self._comm.Recv(piece, source=rank, tag=_TAG)
            yield piece


def write(
    path: Path,
    header: Mapping[str, Any],
    latest: Memory,
    named: Mapping[str, Memory],
    places: Places,
    comm: MPI.Comm,
) -> None:
    """Replace the checkpoint; named states that are in it stay unless given anew (collective).

    The file is made in memory and then written in one go: HDF5 is never in the middle of
    something when the disk is full.

    Raises:
        OutputError: on all ranks, when the file cannot be written; the old one is intact.
    """
    last = _gathered(latest, places)
    states = {name: _gathered(memory, places) for name, memory in named.items()}
    with raise_together(comm, f"writing {path}"):
        if comm.rank == 0:
            image = _image(path, header, last, states, places.keys)
            with replacing(path) as partial:
                partial.write_bytes(image)


def _gathered(memory: Memory, places: Places) -> Memory:
    return Memory(memory.plain, {name: places.gather(one) for name, one in memory.owned.items()})


def _image(
    path: Path, header: Mapping[str, Any], latest: Memory, states: Mapping[str, Memory], keys: Ints
) -> bytes:
    """The bytes of the new file."""
    with h5py.File("checkpoint", "w", driver="core", backing_store=False) as file:
        file.attrs["format"] = FORMAT
        file["header"] = _text(header)
        file["keys"] = keys
        _store(file.create_group(LATEST), latest)
        group = file.create_group(STATES)
        _keep(path, group, set(states))
        for name, memory in states.items():
            entry = group.create_group(str(len(group)))
            entry.attrs["name"] = name
            _store(entry, memory)
        file.flush()
        return bytes(file.id.get_file_image())


def _keep(path: Path, group: h5py.Group, without: set[str]) -> None:
    """Copy the named states of the present file."""
    if not path.exists():
        return
    with h5py.File(path, "r") as old:
        for entry in _entries(old).values():
            if entry.attrs["name"] not in without:
                old.copy(entry, group, name=str(len(group)))


def _entries(file: h5py.File) -> dict[str, h5py.Group]:
    """Named states in the order in which they were reached."""
    numbered = sorted(file[STATES].items(), key=lambda item: int(item[0]))
    return {str(entry.attrs["name"]): entry for _, entry in numbered}


def _store(group: h5py.Group, memory: Memory) -> None:
    group["memory"] = _text(memory.plain)
    for name, array in memory.owned.items():
        group[f"owned/{name}"] = array


def _text(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, default=_number)


def _number(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


@dataclass(frozen=True)
class Contents:
    """What a file says of itself: its header, where its run stood, its named states."""

    header: Mapping[str, Any]
    latest: Mapping[str, Any]
    states: Mapping[str, Mapping[str, Any]]


def contents(path: Path) -> Contents:
    """Read all plain data of a checkpoint on this rank; raises InputError if it is none."""
    with _opened(path) as file:
        states = {name: _plain(entry) for name, entry in _entries(file).items()}
        return Contents(json.loads(file["header"].asstr()[()]), _plain(file[LATEST]), states)


def read(path: Path, state: str, places: Places, comm: MPI.Comm) -> Memory:
    """Return the memory of `LATEST` or of a named state (collective).

    Raises:
        InputError: on all ranks, when the file is no checkpoint or holds other unknowns.
    """
    plain: Mapping[str, Any] = {}
    arrays: dict[str, Floats] = {}
    with raise_together(comm, f"reading {path}"):
        if comm.rank == 0:
            plain, arrays = _read_here(path, state, places.keys)
    shapes = {name: array.shape[:-1] for name, array in arrays.items()}
    plain, shapes = comm.bcast((plain, shapes), root=0)
    empty = {name: np.empty((*shape, 0)) for name, shape in shapes.items()}
    owned = {name: places.scatter(arrays.get(name, empty[name])) for name in shapes}
    return Memory(plain, owned)


def _read_here(path: Path, state: str, keys: Ints) -> tuple[Mapping[str, Any], dict[str, Floats]]:
    with _opened(path) as file:
        if not np.array_equal(file["keys"][:], keys):
            raise InputError(f"{path}: holds the unknowns of another device")
        group = file[LATEST] if state == LATEST else _entries(file)[state]
        owned = group.get("owned", {})
        return _plain(group), {name: data[...] for name, data in owned.items()}


def _plain(group: h5py.Group) -> Mapping[str, Any]:
    result: Mapping[str, Any] = json.loads(group["memory"].asstr()[()])
    return result


def _opened(path: Path) -> h5py.File:
    """Open a checkpoint for reading; an InputError says why it is none."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: cannot be read as a checkpoint") from error
    found = file.attrs.get("format")
    if found != FORMAT:
        file.close()
        raise InputError(f"{path}: is no checkpoint of this version (format {found}, not {FORMAT})")
    return file
