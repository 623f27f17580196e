"""Films of a step: which snapshots they show, how large they get, what is answered."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ionstack.errors import InputError
from ionstack.observing.observers import Moments
from ionstack.output.steps import StepRow, StepWriter
from ionstack.plots import animation
from ionstack.plots.animation import animate


def film_run(folder: Path, synthetic: ModuleType, dimension: int) -> Path:
    """A run with snapshots at 0, 5 and 15 s, a sweep up to 10 s and a hold after it."""
    run = synthetic.write_run(folder, dimension)
    steps = StepWriter(run.steps)
    steps.append(StepRow(1, "set", "sweep", "Pt", 0.0, 10.0, "time"))
    steps.append(StepRow(2, "", "hold", "Pt", 10.0, 20.0, "time"))
    steps.close()
    return run.path


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_film_shows_the_snapshots_of_the_first_sweep(
    tmp_path: Path, synthetic: ModuleType, dimension: int
) -> None:
    film = animate(film_run(tmp_path / "run", synthetic, dimension))
    assert film.lines[0] == "2 frames of sweep set"
    assert "output.snapshot_every=0.12s" in film.lines[1]
    with Image.open(film.path) as image:
        assert image.n_frames == 2
        first = np.asarray(image.convert("RGB"), dtype=int)
        image.seek(1)
        second = np.asarray(image.convert("RGB"), dtype=int)
    moved = np.abs(first - second).max(axis=2) > 40
    half = first.shape[1] // 2
    assert moved[:, :half].any(), "the point on the curve moves"
    assert moved[:, half:].any(), "and so does the species"


def test_mistakes_name_what_there_is(tmp_path: Path, synthetic: ModuleType) -> None:
    folder = film_run(tmp_path / "run", synthetic, 1)
    with pytest.raises(InputError, match=r"unknown step 'sett'; allowed: 1, 2, set"):
        animate(folder, "sett")
    with pytest.raises(InputError, match=r"unknown species 'Na\+'; allowed: Li\+, e-"):
        animate(folder, "set", "Na+")
    with pytest.raises(InputError, match=r"has 1 snapshots of hold 2, too few.*snapshot_every"):
        animate(folder, "2")
    with pytest.raises(InputError, match="holds no run with fields"):
        animate(tmp_path)


def test_file_keeps_within_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 60, 60, 3), dtype=np.uint8)
    frames = [Image.fromarray(one) for one in noise]
    monkeypatch.setattr(animation, "_BYTES", 60_000)
    path = tmp_path / "film.gif"
    kept = animation._write(path, frames)
    assert path.stat().st_size <= 60_000
    with Image.open(path) as image:
        assert image.n_frames == kept < 40
        # Fewer frames stay longer: the film takes as long as before.
        assert image.info["duration"] * kept == pytest.approx(120 * 40, rel=0.01)


def state(time: float, breakpoint: bool = False) -> Any:
    return SimpleNamespace(time=time, at_breakpoint=breakpoint, following=1)


def test_snapshots_follow_each_other_after_a_while_and_at_breakpoints() -> None:
    protocol: Any = SimpleNamespace(shown={1})
    every = Moments(protocol, 0.5)
    times = [0.0, 0.2, 0.49, 0.6, 0.9, 1.05, 1.2, 1.5]
    seen = [t for t in times if every.due(state(t, breakpoint=t in (0.0, 1.05)))]
    assert seen == [0.0, 0.6, 1.05]
    only = Moments(protocol)
    assert [t for t in times if only.due(state(t, breakpoint=t == 1.05))] == [1.05]
