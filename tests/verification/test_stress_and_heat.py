"""Stress and heat: films, bodies, what stress does to diffusion, spreading and runaway."""

from __future__ import annotations

from math import inf, pi

import numpy as np
from mpi4py import MPI

from ionstack.mechanics.body import Body
from ionstack.mechanics.conditions import Conditions
from ionstack.mechanics.film import FilmStack, Sheets, Substrate
from ionstack.models.heat_model import Sink
from ionstack.physics.cohesion import separate
from ionstack.physics.heat import spreading_resistance
from ionstack.physics.solids import Creep, Solid
from support.bodies import MODULUS, POISSON, SWELLING, disc, films, swollen
from support.heated import LENGTH, Heater, heat_model, slab
from support.joints import LAW, RESIDUAL, column, opened, peel, pull
from support.problems import fill
from support.swelling_films import DIFFUSIVITY, clamp, content, depth, host, newton_of, step
from support.swelling_films import LENGTH as LENGTH_OF_HOST

HOST = Solid(MODULUS, POISSON)
SOURCE = 1e15  # W/m^3


def film(solid: Solid, substrate: Substrate | None = None) -> FilmStack:
    """A film of 100 nm in ten sheets."""
    depth = 1e-8 * (np.arange(10) + 0.5)
    return FilmStack([Sheets(solid, depth, np.full(10, 1e-8))], substrate, MPI.COMM_SELF)


def test_swelling_on_a_clamp(verify):
    trial = film(HOST).solve(np.full(10, SWELLING / 3.0), 0.0)
    stress = float(trial.stress[0])
    verify("film.stress", stress, -952.3809524e6, rel=1e-9, unit="Pa",
           title="stress of a clamped film, 2000 mol/m^3 of 10 cm^3/mol",
           source="V8; -E/(1-nu) Omega c/3")  # fmt: skip
    verify("film.growth", SWELLING / 3.0 + float(trial.across[0]), 0.01238095238, rel=1e-9,
           title="growth of its thickness", source="V8; (1+nu)/(1-nu) Omega c/3")  # fmt: skip
    verify("film.potential", -1e-5 * 2.0 / 3.0 * stress, 6349.206349, rel=1e-9, unit="J/mol",
           title="what that adds to the chemical potential",
           source="V8; -Omega sigma_h, Larche and Cahn (1973)")  # fmt: skip


def test_a_body_on_a_clamp(verify):
    """Elements of second order give the film far from its edge."""
    mesh = films("axisymmetric", [("film", 1e-7, 5e-8)], disc(5e-6, 10))
    body = Body(mesh, [HOST], Conditions("rigid", sides="roller"))
    trial = body.solve(swollen(mesh, film=SWELLING), 1.0)
    verify("body.stress", float(trial.stress[..., 0].mean()), -952.3809524e6, rel=1e-8, unit="Pa",
           title="the same by finite elements", source="V8")  # fmt: skip
    verify("body.growth", -float(trial.corner_displacement()[..., -1].min()) / 1e-7,
           0.01238095238, rel=1e-8, title="its growth", source="V8")  # fmt: skip


def test_bending(verify):
    thick = Substrate(Solid(130e9, 0.28), 1e-7, 500e-6)
    trial = film(HOST, thick).solve(np.full(10, SWELLING / 3.0), 0.0)
    verify("film.curvature", trial.bend, -0.01265934066, rel=2e-3, unit="1/m",
           title="curvature of the film's substrate, 500 um",
           source="Stoney (1909), first order of the thickness")  # fmt: skip


def test_flow(verify):
    strength = 500e6
    solid = Solid(MODULUS, POISSON, yield_strength=strength)
    found = []
    stack = film(solid)
    for amount in (1000.0, 2000.0, 900.0):
        trial = stack.solve(np.full(10, 1e-5 * amount / 3.0), 0.0)
        stack.accept(trial)
        found.append(float(trial.stress[0]))
    elastic = MODULUS / 0.7 * 1e-5 / 3.0
    exact = [-1000.0 * elastic, -strength, -strength + 1100.0 * elastic]
    verify("film.yield", found, [exact[0], exact[1], min(exact[2], strength)], rel=1e-9, unit="Pa",
           title="stress at 1000, 2000 and again 900 mol/m^3; it yields at 1050",
           source="perfect plasticity, elastic over twice the strength")  # fmt: skip
    creep = Solid(77e9, 0.25, creep=Creep(1e-3, 1e8, 4.0))
    stack, start, time = film(creep), 3e-3 * creep.biaxial_modulus, 2.0
    for _ in range(2000):
        trial = stack.solve(np.full(10, -3e-3), time / 2000)
        stack.accept(trial)
    rate = 0.5 * creep.biaxial_modulus * 1e-3 * 1e8**-4.0
    exact_creep = (start**-3.0 + 3.0 * rate * time) ** (-1.0 / 3.0)
    verify("film.creep", float(trial.stress[0]), exact_creep, rel=3e-3, unit="Pa",
           title="stress that creeps for 2 s at a strain of 0.3 %, exponent 4",
           source="closed form, order 1 in the step")  # fmt: skip


def test_an_interface_that_parts(verify):
    """Displacements at the kinks of the law, between which all is linear."""
    body = column("2d")
    path, work = [(0.0, 0.0)], 0.0
    for opening in (LAW.onset, 0.5 * LAW.final, LAW.final):
        traction = separate(LAW, np.array([opening]), np.array(0.0)).traction[0]
        trial = pull(body, opening, traction)
        body.accept(trial)
        path.append((opened(body, trial), float(trial.stress[..., 1].mean())))
        work += 0.5 * (path[-1][0] - path[-2][0]) * (path[-1][1] + path[-2][1])
    verify("joint.traction", path[2][1],
           LAW.strength * 0.5 * LAW.final / (LAW.final - LAW.onset), rel=1e-8, unit="Pa",
           title="traction of a cohesive interface opened half-way by a column of two layers",
           source="bilinear law, Camanho and Davila (2002)")  # fmt: skip
    verify("joint.work", work, LAW.work, rel=1e-6, unit="J/m^2",
           title="work done on it until it is apart", source="what the law was given")  # fmt: skip


def test_a_film_that_comes_off(verify):
    """It stays at the lower stress and leaves at the higher one: the value is that between."""
    ends = (0.985, 1.025)
    (stays, first), (leaves, second) = (peel(level) for level in ends)
    assert first.newton.converged
    assert second.newton.converged
    assert stays < 0.1
    assert leaves > 0.5  # what is left at the other end relaxes
    verify("joint.release", float(np.mean(ends)) * RESIDUAL, RESIDUAL, rel=0.02, unit="Pa",
           title="stress at which a film comes off that releases its work of separation then",
           source="(1-nu^2) sigma^2 h/(2E) = G_c, Hutchinson and Suo (1992)")  # fmt: skip


def test_diffusion_in_a_clamped_film(verify):
    """From the decay of a ripple in steps of implicit Euler."""
    found = host(200)
    clamp(found)
    fill(found, {"tracer": 2000.0 * (1.0 + 1e-4 * np.cos(pi * depth(found) / LENGTH_OF_HOST))})
    newton, count, size = newton_of(found), 200, 7e-5
    for _ in range(count):
        step(found, newton, size)
    left = (content(found)[0] - 2000.0) / 0.2
    rate = (left ** (-1.0 / count) - 1.0) / size
    plain = DIFFUSIVITY * (pi / LENGTH_OF_HOST) ** 2
    verify("film.diffusivity", rate / plain, 3.561240987, rel=2e-4,
           title="rise of the diffusivity by stress at 2000 mol/m^3",
           source="1 + 2 E Omega^2 c/(9 (1-nu) R T)")  # fmt: skip


def test_spreading_in_a_substrate(verify):
    radius, glass = 100e-6, 1.1
    sink = Sink(inf, spreading_resistance(glass, radius))
    warm = Heater(slab(40), heat_model(sinks={"bottom": sink}))
    warm.heat(1e3)
    power = 1e3 * LENGTH  # W: the slab has 1 m^2
    verify("heat.spreading", float(warm.at_nodes[-1]), power / (4.0 * glass * radius), rel=1e-9,
           unit="K", title="rise of the face on glass, disc of 100 um",
           source="1/(4 k a)")  # fmt: skip


def test_a_slab_between_cold_faces(verify):
    warm = Heater(slab(40), heat_model())
    shape = np.sin(pi / LENGTH * warm.volumes.depth)
    warm.heat(SOURCE * shape)
    exact = SOURCE / (2.0 * (pi / LENGTH) ** 2)
    verify("heat.slab", float(warm.at_nodes.max()), exact, rel=1e-3, unit="K",
           title="rise in the middle of a slab with a sinusoidal source",
           source="closed form; order 2 in space is a test of its own")  # fmt: skip
