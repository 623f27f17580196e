"""``summary.json``: named scalars of a run as flat dotted keys."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ionstack.errors import InputError
from ionstack.output.atomic import write_text

NOT_FINITE = "not_finite"


def write(path: Path, entries: Mapping[str, Any]) -> None:
    """Write the entries, sorted by key, replacing the file as a whole.

    Nested mappings become dotted keys; NumPy scalars and arrays become numbers and
    lists. JSON has no NaN or infinity: such a number is written as null and its key
    is listed under ``not_finite``, so that nothing turns silently into "absent".

    Raises ValueError for a key given twice, TypeError for a value without JSON form.
    """
    flat: dict[str, Any] = {}
    for key, value in _flatten("", entries):
        if key in flat or key == NOT_FINITE:
            raise ValueError(f"summary key {key!r} is given twice or reserved")
        flat[key] = _plain(key, value)
    flat[NOT_FINITE] = sorted(key for key, value in flat.items() if not _finite(value))
    cleaned = {key: _without_nan(value) for key, value in flat.items()}
    write_text(path, json.dumps(cleaned, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read(path: Path, what: str = "a summary") -> dict[str, Any]:
    """Return the flat entries of a summary, or `what` it is; raises InputError if it is not one."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as {what}: {error}") from error
    if not isinstance(entries, dict):
        raise InputError(f"{path}: is not {what}: expected one JSON object")
    return entries


def _flatten(prefix: str, entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in entries.items():
        if isinstance(value, Mapping):
            yield from _flatten(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(key, item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"summary key {key!r} holds a {type(value).__name__}, which JSON has not")


def _finite(value: Any) -> bool:
    if isinstance(value, list):
        return all(_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return value if _finite(value) else None
