"""Surface diffusion breaks a filament across a film: the field against the lumped R^4/B.

Where the film is no thicker than a filament is round, nothing thins it: it lasts.
"""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.physics.lifetime import mullins_coefficient
from support.phase_fields import Shape, T, begin, contents, march, places
from support.solutions import BINODAL, HOP, SOLUTION, diffuse_surface

THICKNESS, CELL, DEEP = 20e-9, 2e-10, 4e-10
# Filaments are thinner by this share at one electrode, and thicker at the other.
NECK = 0.1
BROKEN = 0.03
JUMP = 1.0 - 2.0 * BINODAL


def lifetime(radius: float, most: float) -> tuple[float, float, float]:
    """Radius at rest [m], time over R^4/B until it breaks or `most`, and the neck's area then.

    The area is that over the one at the start.
    """
    box = 1.6 * radius + 1e-9
    device = Shape(THICKNESS, DEEP, box, round(box / CELL)).device(None, SOLUTION, HOP)
    begin(device, lambda r, z: radius * (1.0 - NECK * np.cos(np.pi * z / THICKNESS)) - r, 0.4e-9)
    volume, row = device.volumes.node_volume, np.round(places(device)[1] / DEEP).astype(int)

    def areas() -> np.ndarray:
        """Area of the phase in every plane of nodes, which is thinner at the electrodes."""
        metal = np.bincount(row, volume * (contents(device) - BINODAL)) / (DEEP * JUMP)
        metal[[0, -1]] *= 2.0
        return metal

    first = areas()
    radius = float(
        np.sqrt((first[1:-1].sum() + 0.5 * (first[0] + first[-1])) / len(first[1:]) / np.pi)
    )
    unit = radius**4 * JUMP**2 / mullins_coefficient(diffuse_surface(), T)
    left, time = 1.0, 0.0
    for state in march(device, most * unit, tolerance=4e-3):
        time, left = state.time, areas().min() / first.min()
        if left < BROKEN:
            break
    return radius, time / unit, left


@pytest.mark.long
def test_the_lumped_law_holds_for_filaments_of_middling_radius() -> None:
    radii, times, left = np.array([lifetime(one, 20.0) for one in (3e-9, 4e-9, 5e-9)]).T
    assert (left < BROKEN).all()
    assert (THICKNESS / radii < 7.0).all()
    assert (THICKNESS / radii > 3.9).all()
    np.testing.assert_allclose(times, 4.4, rtol=0.1)


@pytest.mark.long
def test_a_thick_filament_lasts() -> None:
    """Above R = L/pi every ripple that fits into the film decays (Nichols and Mullins)."""
    radius, time, left = lifetime(7e-9, 30.0)
    assert radius > THICKNESS / np.pi
    assert time > 29.0
    assert left > 1.1
