"""Sending rows of arrays to the ranks that own them."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray


def route(
    comm: MPI.Comm, destination: NDArray[np.int32], *columns: NDArray[Any]
) -> tuple[NDArray[np.int32], list[NDArray[Any]]]:
    """Send row i of every column to rank ``destination[i]`` (collective).

    Returns the source rank of each received row and the received columns, in order
    of source rank and of sending. Columns are 1-D or 2-D, equal in length; on one rank
    they are returned as they are.
    """
    if comm.size == 1:
        return np.zeros(len(destination), dtype=np.int32), list(columns)
    order = np.argsort(destination, kind="stable")
    counts = np.bincount(destination, minlength=comm.size).astype(np.int64)
    received = np.empty_like(counts)
    comm.Alltoall(counts, received)
    source = np.repeat(np.arange(comm.size, dtype=np.int32), received)
    return source, [_send(comm, column[order], counts, received) for column in columns]


def _send(
    comm: MPI.Comm, rows: NDArray[Any], counts: NDArray[np.int64], received: NDArray[np.int64]
) -> NDArray[Any]:
    rows = np.ascontiguousarray(rows)
    width = int(np.prod(rows.shape[1:], dtype=np.int64))
    result = np.empty((int(received.sum()), *rows.shape[1:]), rows.dtype)
    kind = MPI._typedict[rows.dtype.char]
    comm.Alltoallv([rows, counts * width, kind], [result, received * width, kind])
    return result
