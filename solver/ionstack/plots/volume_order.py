"""What is drawn of counts in space, as it is passed to the process that draws."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from ionstack.plots.rendering import rendered

# Signals that are told apart in one picture.
MOST_TOGETHER = 4


@dataclass(frozen=True)
class VolumeOrder:
    """A file of voxels per state, signals, layers (name, upper, lower depth [m]), the picture."""

    states: Sequence[tuple[str, str]]
    signals: Sequence[str]
    layers: Sequence[tuple[str, float, float]]
    title: str
    picture: str


def read_order(path: Path) -> VolumeOrder:
    """Return an order that was passed on."""
    return VolumeOrder(**json.loads(path.read_text(encoding="utf-8")))


def draw_apart(order: VolumeOrder) -> list[Path]:
    """Let another process draw; return the picture, or nothing where it cannot be rendered."""
    with NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(asdict(order), file)
        file.flush()
        return rendered("volumes", [file.name], Path(order.picture))
