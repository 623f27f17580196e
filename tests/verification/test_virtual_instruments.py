"""Virtual instruments: depth resolution, sputter times, artefacts of beams, lines of XPS."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp, trapezoid
from scipy.special import erfinv

from ionstack.surface_analysis.artefacts import migrated
from ionstack.surface_analysis.depth_profile import Erosion
from ionstack.surface_analysis.photoelectrons import atomic_fractions, attenuated
from ionstack.surface_analysis.resolution import Resolution
from ionstack.surface_analysis.setup import load_setup
from ionstack.surface_analysis.sputtering import reached

NM = 1e-9
# Mixing, roughness, information depth [nm].
MIXING, ROUGHNESS, INFORMATION = 1.5, 1.0, 1.0
KERNEL = Resolution(MIXING * NM, ROUGHNESS * NM, 0.0, INFORMATION * NM)
U = np.linspace(-60.0, 120.0, 180_001)


def test_the_kernel(verify):
    density = KERNEL.density(U * NM, ROUGHNESS * NM) * NM
    source = "Hofmann, Surf. Interface Anal. 21, 673 (1994)"
    title = "integral of the response to a thin layer"
    area = trapezoid(density, U)
    verify("instruments.kernel", area, 1.0, rel=1e-8, title=title, source=source)
    centroid = -(MIXING + INFORMATION) * np.exp(-MIXING / INFORMATION)
    title = "its centroid, from the layer"
    found = trapezoid(density * U, U)
    verify("instruments.centroid", found, centroid, rel=1e-6, unit="nm", title=title, source=source)
    below = np.exp(-MIXING / INFORMATION)
    trail = np.where(U >= -MIXING, np.exp(-np.maximum(U + MIXING, 0.0) / MIXING) / MIXING, 0.0)
    lead = np.where(U < -MIXING, np.exp(np.minimum(U + MIXING, 0.0) / INFORMATION), 0.0)
    sharp = (1.0 - below) * trail + below * lead / INFORMATION
    places = np.linspace(-5.0, 10.0, 31)
    gauss = np.exp(-0.5 * ((places[:, None] - U) / ROUGHNESS) ** 2) / np.sqrt(2.0 * np.pi)
    direct = trapezoid(gauss * sharp / ROUGHNESS, U, axis=1)
    title, source = "the response at 31 depths", "direct convolution of mixing, depth, roughness"
    found = np.interp(places, U, density)
    verify(
        "instruments.convolution", found, direct, rel=1e-3, unit="1/nm", title=title, source=source
    )


def test_a_rough_edge(verify):
    depths = np.linspace(-8.0, 8.0, 16_001) * NM
    edge = Resolution(roughness=1.2 * NM).cumulative(depths, np.full(len(depths), 1.2 * NM))
    low, high = (float(np.interp(level, edge, depths)) for level in (0.16, 0.84))
    exact = 2.0 * np.sqrt(2.0) * float(erfinv(0.68)) * 1.2
    title = "width of an edge from 16 to 84 %, roughness of 1.2 nm"
    source = "normal distribution"
    verify(
        "instruments.edge",
        (high - low) / NM,
        exact,
        rel=1e-5,
        unit="nm",
        title=title,
        source=source,
    )


@pytest.mark.parametrize("transition", [0.0, 6.0])
def test_the_time_of_an_interface(verify, transition):
    """A soft film of 30.1 nm; the rate changes linearly over the transition around its end."""
    edges = np.arange(0.0, 90.01, 0.02)
    soft = np.diff(np.clip(edges, 0.0, 30.1)) / np.diff(edges)
    rates = {"soft": 0.3, "hard": 0.1}
    times = reached({"soft": soft, "hard": 1.0 - soft}, rates, edges, transition)
    exact = (60.0 - 30.1 - transition / 2) / 0.1 + (30.1 - transition / 2) / 0.3
    exact += transition * np.log(3.0) / 0.2
    found = Erosion(edges, times).time(np.array(60.0))
    title = f"time to sputter 60 nm, rates of 0.3 and 0.1 nm/s, transition of {transition:g} nm"
    name = "instruments.rates" if transition else "instruments.interface"
    verify(
        name, found, exact, rel=1e-6, unit="s", title=title, source="mean of the reciprocal rate"
    )


def test_ions_that_the_beam_drives(verify):
    """The drift of single ions before the front, step by step, against all of them at once."""
    drift, reach, depths = 0.6, 5.0, np.array([0.5, 2.0, 5.0, 12.0, 30.0])
    found = []
    for depth in depths:

        def met(front, y, *_):
            return y[0] - front

        met.terminal = True
        course = solve_ivp(
            lambda front, y: drift * np.exp(-(y - front) / reach),
            (0.0, 60.0),
            [depth],
            events=met,
            rtol=1e-10,
            atol=1e-12,
        )
        found.append(course.t_events[0][0])
    edges = np.arange(0.0, 100.001, 0.01)
    before = np.ones(len(edges) - 1)
    after = migrated(before, edges, (0.0, 100.0), drift, reach)
    counted = np.interp(depths, np.concatenate([[0.0], np.cumsum(after)]) * 0.01, edges)
    title = "depth at which ions from 0.5 to 30 nm are found, drift 0.6, reach 5 nm"
    source = "Runge-Kutta on the drift before the front"
    verify("instruments.migration", counted, found, rel=1e-4, unit="nm", title=title, source=source)
    title = "ions of the zone, afterwards over before"
    kept = after.sum() / before.sum()
    verify("instruments.kept", kept, 1.0, rel=1e-12, title=title, source="conservation")


def test_atoms_that_leave_more_easily(verify):
    edges = np.arange(0.0, 30.01, 0.02) * NM
    seen = Resolution(mixing=2.0 * NM, removal=2.0).response(edges).sum(axis=1)[:1000]
    middles = 0.5 * (edges[:-1] + edges[1:])[:1000]
    exact = 1.0 + np.exp(-2.0 * middles / (2.0 * NM))
    title = "flux of a uniform solid over its content, removed twice as easily, 2 nm mixed"
    source = "1 + (p - 1) exp(-p z / w)"
    verify("instruments.preferential", seen, exact, rel=1e-4, title=title, source=source)


def test_lines_of_xps(verify):
    step, length = 0.01 * NM, 2.5 * NM
    below = (np.arange(2000) * step >= 10.0 * NM).astype(float)
    seen = attenuated(below, length, step)[0]
    title = "electrons of a substrate through 10 nm, attenuation length of 2.5 nm"
    verify("instruments.overlayer", seen, np.exp(-4.0), rel=1e-9, title=title, source="exp(-d/L)")
    counts = {"C": np.array([500.0]), "O": np.array([58.6]), "In": np.array([225.0])}
    shares = atomic_fractions(counts, {"C": 1.0, "O": 2.93, "In": 22.5}, 0.0)
    title = "share of 500 C among 510 atoms, after 10 O and 10 In have come"
    source = "closure of the fractions"
    verify(
        "instruments.closure", shares["C"][0], 500.0 / 530.0, rel=1e-12, title=title, source=source
    )


def test_valences_of_tungsten(verify):
    """W6+ : W5+ : W4+ = 1 : 0.5 : 0.06 was measured at a content of (0.5 + 0.12) / 3.12."""
    setup = load_setup("xps_al_ka")
    atoms = {name: np.zeros(1) for name in setup.atoms}
    atoms |= {"W": np.array([1.56e28]), "O": np.array([4.68e28]), "Mg": np.array([0.31e28])}
    atoms["total"] = np.asarray(sum(atoms.values()))
    six, five, four = (setup.signal(f"W 4f {charge}+", atoms)[0] for charge in (6, 5, 4))
    title = "W5+ and W4+ over W6+ at 0.199 Mg per W"
    found = np.array([five / six, four / six])
    verify("instruments.tungsten", found, [0.5, 0.06], abs=0.01, title=title, source="row S3-18")
