"""Bodies whose layers may part: a column that is pulled, a film that comes off its base."""

from __future__ import annotations

import numpy as np

from ionstack.geometry.stack import Lateral
from ionstack.mechanics.areas import Cohesive, Debond
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions, Held
from ionstack.physics.cohesion import Cohesion
from ionstack.physics.solids import Solid
from support.bodies import MODULUS, POISSON, corners, disc, films, swollen

HOST = Solid(MODULUS, POISSON)
THICK = 100e-9
LAYERS = [("upper", THICK, 0.5 * THICK), ("lower", THICK, 0.5 * THICK)]
# Stress over strain where nothing moves laterally.
CONFINED = MODULUS * (1.0 - POISSON) / ((1.0 + POISSON) * (1.0 - 2.0 * POISSON))
LAW = Cohesion(stiffness=5e18, strength=1e9, work=1.0)
LATERAL = {
    "axisymmetric": disc(100e-9, 2),
    "2d": Lateral("rectangle", None, 50e-9, 50e-9, 2, 1.0),
    "3d": Lateral("rectangle", None, 50e-9, 50e-9, 1, 1.0),
}
# A film under this stress, and the energy [J/m^2] that it releases in plane strain where it comes
# off: (1 - nu^2) sigma^2 h/(2 E).
FILM, RESIDUAL = 1e-6, 1e9
RELEASED = 0.5 * (1.0 - POISSON**2) * RESIDUAL**2 * FILM / MODULUS


def column(kind: str, law: Cohesion = LAW) -> Body:
    """Two layers between plates that do not move, with an interface that may part."""
    mesh = films(kind, LAYERS, LATERAL[kind], joints=(Cohesive("upper", "lower", law),))
    held = (Held("top", mesh.dimension - 1),)
    return Body(mesh, [HOST] * 2, Conditions(sides="roller", held=held))


def pull(body: Body, opening: float, traction: float) -> Trial:
    """Let the column shrink so that it is in balance at an opening under a traction."""
    strains = np.zeros((body.mesh.n_owned, body.mesh.dimension + 1, 3))
    strains[..., 2] = -(opening / (2.0 * THICK) + traction / CONFINED)
    return body.solve(strains, 1.0)


def opened(body: Body, trial: Trial) -> float:
    """Displacement of the lower face against the upper one, apart."""
    moved = trial.corner_displacement()[..., -1]
    at = corners(body.mesh)[..., -1] == THICK
    upper = body.mesh.cell_region[: body.mesh.n_owned, None] == 0
    return float(moved[at & ~upper].mean() - moved[at & upper].mean())


def peel(level: float) -> tuple[float, Trial]:
    """Part of a film's interface that fails under `level` times a stress of 1 GPa.

    One end is off from the start; the work of separation is what 1 GPa releases.
    """
    width = 24e-6
    layers = [("film", FILM, 0.5 * FILM), ("base", FILM, FILM)]
    law = Cohesion(stiffness=2e18, strength=RESIDUAL, work=RELEASED)
    off = Debond("film", "base", between=(0.75 * width, width))
    lateral = Lateral("rectangle", None, width, width, 96, 1.0)
    mesh = films("2d", layers, lateral, joints=(off, Cohesive("film", "base", law)))
    body = Body(mesh, [HOST, Solid(100.0 * MODULUS, POISSON)], Conditions())
    strain = level * RESIDUAL / HOST.biaxial_modulus
    trial = body.solve(swollen(mesh, film=-3.0 * strain), 1.0)
    assert trial.separation is not None
    assert body.forces.interfaces is not None
    reached = trial.separation.reached[body.forces.interfaces.parts[1]]
    return float(np.mean(reached >= law.final)), trial
