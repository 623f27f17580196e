"""Thermal noise of a field: fluctuation and dissipation, steps, matter, ranks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from support.convergence import order
from support.fluctuating import Film, content, march
from support.launch import launch


def film_of(kind: str, cells: int, share: float) -> Film:
    """A film whose slowest mode decays by `share` within a correlation time."""
    return Film(kind, cells, share / Film(kind, cells, 1.0).relaxation[0])


def spectrum(film: Film, count: int, **control: float) -> np.ndarray:
    """Mean squares of all modes over those of equilibrium, of states at the correlation times."""
    device, found = film.device(), []
    for state in march(device, count * film.time, **control):
        part = state.time / film.time
        if abs(part - round(part)) < 1e-6:
            found.append(content(device, state))
    amplitudes, variance = film.modes(device, np.array(found[count // 20 :]))
    return (amplitudes**2).mean(axis=0) / variance


def check_spectrum(verify, film: Film, count: int, name: str, title: str) -> None:
    """Steps of one correlation time each, by the implicit rule."""
    decay = film.relaxation * film.time
    found = spectrum(film, count, fixed=film.time) * (1.0 + 0.5 * decay)
    left = 1.0 / (1.0 + decay) ** 2
    # Standard deviations of the mean squares, of numbers that remember the last one.
    sigma = np.sqrt(2.0 / count * (1.0 + left) / (1.0 - left))
    assert (np.abs(found - 1.0) < 4.0 * sigma).all(), (found, sigma)
    weights = sigma**-2 / (sigma**-2).sum()
    verify(name, weights @ found, 1.0, abs=3.0 / np.sqrt((sigma**-2).sum()), title=title,
           source="kT/(N V (f'' + kappa k^2)), over 1 + r t/2 of the implicit rule")  # fmt: skip


@pytest.mark.parametrize(("kind", "cells"), [("reaction", 8), ("flow", 12)])
def test_every_mode_fluctuates_as_in_equilibrium(verify, kind, cells) -> None:
    film = film_of(kind, cells, 0.6)
    title = f"mean square of the modes, noise of a {kind}, {cells} cells"
    check_spectrum(verify, film, 600, f"noise.{kind}.{cells}", title)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["flow", "reaction"])
def test_short_steps_leave_the_spectrum_of_the_correlation_time(kind) -> None:
    """Slow modes have kT/(N V (f'' + kappa k^2)) tanh(r t/2)/(r t/2); steps dampen fast ones."""
    film = film_of(kind, 8, 0.3)
    half = 0.5 * film.relaxation * film.time
    found = spectrum(film, 4000, fixed=film.time / 4.0) * half / np.tanh(half)
    left = np.exp(-4.0 * half)
    sigma = np.sqrt(2.0 / 4000 * (1.0 + left) / (1.0 - left))
    slow = half < 0.5
    assert (np.abs(found - 1.0) < 4.0 * sigma + 0.05)[slow].all(), (found, sigma)
    assert abs(found[slow].mean() - 1.0) < 0.06


def test_matter_is_conserved(verify) -> None:
    film = film_of("flow", 8, 0.6)
    device = film.device()
    owned = device.layout.species["Ag"]
    whole = [state.amounts[owned].sum() for state in march(device, 50 * film.time, fixed=film.time)]
    verify("noise.matter", np.ptp(whole) / whole[0], 0.0, abs=1e-14,
           title="change of all atoms in 50 correlation times", source="conservation")  # fmt: skip


@pytest.mark.parametrize("kind", ["flow", "reaction"])
def test_steps_follow_the_same_path(verify, kind) -> None:
    film, ends = film_of(kind, 8, 0.6), []
    parts = (2, 4, 16)
    for part in parts:
        device = film.device()
        *_, last = march(device, 12 * film.time, fixed=film.time / part)
        ends.append(content(device, last) - 0.5)
    errors = [float(np.abs(one - ends[-1]).max() / np.abs(ends[-1]).max()) for one in ends[:-1]]
    assert errors[1] < 0.05
    verify(f"noise.path.{kind}", order([1.0, 0.5], errors), 1.0, least=True,
           title=f"order in the step of a path, noise of a {kind}", source="1 or more")  # fmt: skip


@pytest.mark.long
def test_ranks_draw_the_same(tmp_path: Path) -> None:
    found = []
    for ranks in (1, 2, 3):
        path = tmp_path / f"{ranks}.json"
        done = launch(ranks, ["-m", "support.noise_on_ranks", str(path)])
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(json.loads(path.read_text()))
    for kind, expected in found[0].items():
        for one in found[1:]:
            np.testing.assert_allclose(one[kind], expected, rtol=1e-6, atol=1e-14)
