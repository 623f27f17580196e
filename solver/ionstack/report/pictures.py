"""The figures of a run as data URIs with words for those who cannot see them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# Letters of data and figures beside the library of plots: pages stay below 8 MB.
ROOM = 3_000_000
# What a figure shows, by the stem of its file; others are called by their name.
_WORDS = {
    "iv": "current against voltage, linear and logarithmic, coloured by cycle",
    "course": "voltage and current against time",
    "conductance": "conductance of every cycle at half its amplitude",
    "profiles": "depth profiles of ion, carriers and potential at the named states",
    "products": "amounts of products at the contacts along the films",
    "li_map": "content of the first positive ion, depth against the lateral position",
    "neutral_map": "content of the first neutral species, depth against the lateral position",
    "temperature_map": "temperature of the hottest snapshot, depth against the lateral position",
    "li_3d": "perspective view of the ion's content, a quarter cut away",
    "pulses": "currents of pulses and reads",
    "events": "voltages of random events",
    "mechanics": "stress, growth and plastic strain of the layers over time",
    "deflection": "deflection of the faces",
    "plastic_strain": "plastic strain of the metals",
}


@dataclass(frozen=True)
class Picture:
    """A PNG file: its name, words for it, and its data URI."""

    name: str
    words: str
    uri: str


@dataclass(frozen=True)
class Gallery:
    """The figures that a page has room for, and the names of the others."""

    pictures: Sequence[Picture]
    left_out: Sequence[str]


def gallery(paths: Iterable[Path], most: int) -> Gallery:
    """Embed PNG files up to `most` letters together."""
    embedded: list[Picture] = []
    left_out: list[str] = []
    room = most
    for path in paths:
        size = 4 * path.stat().st_size // 3
        if size > room:
            left_out.append(path.name)
            continue
        room -= size
        name = path.stem.replace("_", " ")
        instrument = path.parent.name == "instruments"
        words = f"curve of the instrument {name}" if instrument else _WORDS.get(path.stem, name)
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        embedded.append(
            Picture(f"{path.parent.name}/{path.name}", words, f"data:image/png;base64,{data}")
        )
    return Gallery(embedded, left_out)
