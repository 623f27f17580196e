"""Filaments: critical nuclei, needles in a field, lifetimes, random events."""

from __future__ import annotations

from itertools import pairwise
from math import pi

import numpy as np
from scipy.integrate import quad
from scipy.stats import kstest, weibull_min

from ionstack.physics.constants import BOLTZMANN, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.physics.extreme_values import sharp_variation, weibull_variation
from ionstack.physics.lifetime import (
    Dissolution,
    Surface,
    curvature_lifetime,
    dissolution_time,
    filament_lifetime,
    ripple_growth,
    solubility_ratio,
    sphere_potential,
)
from ionstack.physics.needles import (
    Needle,
    bridging_voltage,
    controlling_voltage,
    depolarisation,
    needle_energy,
    needle_nucleus,
    spheroid,
)
from ionstack.physics.nucleation import (
    critical_cluster,
    overpotential_drive,
    sphere_area_of_one,
    spherical_nucleus,
    zeldovich_factor,
)
from ionstack.randomness.hazards import (
    Clocks,
    ExactHazard,
    ExponentialHazard,
    Hazard,
    LinearHazard,
    advance,
)
from ionstack.randomness.random_streams import Stream, philox

COPPER, SILVER = 1.18e-29, 1.71e-29  # m^3 per atom
COUNT = 10_000
# Largest distance of two distributions with a probability of 1 % (Kolmogorov).
DISTANCE = 1.628 / np.sqrt(COUNT)


def test_critical_nuclei(verify):
    etas = np.array([0.5, 0.8, 1.0])
    nucleus = spherical_nucleus(1.0, overpotential_drive(etas, 1.0, COPPER))
    cluster = critical_cluster(1.0, etas, 1.0, sphere_area_of_one(COPPER))
    verify("nucleus.radius", nucleus.size, [2.945992e-10, 1.841245e-10, 1.472996e-10], rel=1e-6,
           unit="m", title="critical radius at 0.5, 0.8, 1 V, 1 J/m^2, copper",
           source="2 gamma Omega/(e eta)")  # fmt: skip
    verify("nucleus.barrier", nucleus.barrier / (BOLTZMANN * 300.0),
           [87.77023915, 34.28524967, 21.94255979], rel=1e-8, title="its barrier over kT at 300 K",
           source="16 pi gamma^3 Omega^2/(3 (e eta)^2)")  # fmt: skip
    verify("nucleus.atoms", cluster.atoms, [9.076145, 2.215856, 1.134518], rel=1e-6,
           title="atoms in the critical cluster", source="(2 gamma a_s/(3 e eta))^3")  # fmt: skip
    verify("nucleus.zeldovich", zeldovich_factor(cluster, 300.0),
           [0.3362302, 0.8607492, 1.344921], rel=1e-6, title="Zeldovich's factor",
           source="(W/(3 pi kT N^2))^(1/2)")  # fmt: skip
    silver = spherical_nucleus(0.5, overpotential_drive(0.3, 1.0, SILVER))
    verify("nucleus.silver", silver.barrier / ELEMENTARY_CHARGE, 1.654540, rel=1e-6, unit="eV",
           title="barrier of silver at 0.3 V, 0.5 J/m^2", source="B4.4, closed form")  # fmt: skip


def test_spheroids(verify):
    aspects = np.array([1.0, 1.01, 1.5, 10.0, 300.0])
    n = [quad(lambda v, s=s: v**2 / (s**2 * (1.0 - v**2) + v**2), 0.0, 1.0, epsrel=1e-12,
              limit=400)[0] for s in aspects]  # fmt: skip
    verify("needle.depolarisation", depolarisation(aspects), n, rel=1e-9,
           title="depolarisation of spheroids of aspect 1 to 300",
           source="quadrature of the integral over confocal ellipsoids")  # fmt: skip
    area = [quad(lambda t, s=s: np.sin(t) * np.hypot(s * np.sin(t), np.cos(t)), 0.0, pi / 2.0,
                 epsrel=1e-12)[0] for s in aspects]  # fmt: skip
    verify("needle.surface", spheroid(aspects).surface, area, rel=1e-9,
           title="their surface over 4 pi b^2", source="quadrature of the area")  # fmt: skip


def test_barriers_of_needles(verify):
    """At 5e8 V/m, permittivity 17, half width 0.5 nm: a low barrier needs a low tension."""
    axes = {"xlabel": "half length [nm]", "ylabel": "work [eV]",
            "title": "needle of 0.5 nm at 5·10⁸ V/m"}  # fmt: skip
    lengths = np.geomspace(0.5e-9, 15e-9, 4000)
    found, expected = [], []
    for k, tension in enumerate((0.1, 1.0)):
        needle = Needle(tension, 0.5e-9, 17.0)
        work = needle_energy(needle, 5e8, lengths) / ELEMENTARY_CHARGE
        nucleus = needle_nucleus(needle, 5e8)
        found.append(float(nucleus.barrier) / ELEMENTARY_CHARGE)
        expected.append(work.max())
        show = work > -30.0
        verify.curve("needle", 1e9 * lengths[show][::20], work[show][::20],
                     label=f"{tension:g} J/m²", **axes)  # fmt: skip
        verify.curve("needle", [1e9 * nucleus.size], [found[k]], label=f"barrier, {tension:g} J/m²",
                     points=True, **axes)  # fmt: skip
    verify("needle.barrier", found, expected, rel=1e-6, unit="eV",
           title="barrier for 0.1 and 1 J/m^2, 5e8 V/m, half width 0.5 nm, permittivity 17",
           source="largest value on a fine grid")  # fmt: skip


def test_long_needles_and_thin_films(verify):
    needle, field = Needle(0.1, 0.5e-9, 17.0), 2e6
    nucleus = needle_nucleus(needle, field)
    log = np.log(2.0 * nucleus.size / 0.5e-9) - 1.0
    line = pi**2 * 0.1 * 0.5e-9
    work = 2.0 / 3.0 * pi * 17.0 * VACUUM_PERMITTIVITY * field**2
    length = np.sqrt(line * log**2 / (work * (3.0 * log - 1.0)))
    verify("needle.long", nucleus.barrier / (line * length * (2.0 * log - 1.0) / (3.0 * log - 1.0)),
           1.0, rel=1e-4, title="barrier of a needle 1000 times as long as wide, over the limit",
           source="asymptote of Karpov et al. (2008), logarithm at its length")  # fmt: skip
    films = np.array([1e-4, 2e-4])
    ratio = (bridging_voltage(needle, films) / controlling_voltage(needle, films)) ** 2
    logs = np.log(2.0 * films / 0.5e-9) - 1.0
    verify("needle.film", ratio, 3.0 - 1.0 / logs, rel=1e-8,
           title="square of bridging over controlling voltage, long needles",
           source="asymptote, no dependence on the thickness but this")  # fmt: skip


def test_lifetimes(verify):
    radii = np.array([1e-9, 2e-9, 5e-9])
    ratio = solubility_ratio(sphere_potential(1.5, COPPER, radii), 300.0)
    verify("lifetime.solubility", ratio, [5149.759, 71.76182177, 5.525319323], rel=1e-6,
           title="solubility of spheres of 1, 2, 5 nm over that of the bulk",
           source="exp(2 gamma Omega/(R kT))")  # fmt: skip
    verify("lifetime.diffusion", dissolution_time(Dissolution(0.01, 1e-14), 2e-9), 0.02, rel=1e-12,
           unit="s", title="time in which a sphere dissolves", source="R^2/(2 D u)")  # fmt: skip
    capillary = 2.0 * 1.5 * COPPER / (BOLTZMANN * 800.0)
    verify("lifetime.curvature", curvature_lifetime(2e-9, 1e-14, 0.01, capillary), 0.002322274254,
           rel=1e-8, unit="s", title="the same by its curvature alone, 800 K",
           source="numerical integration")  # fmt: skip
    surface = Surface(1.2, 1.32e-13, SILVER, 1.4e19)
    exact = BOLTZMANN * 300.0 * 16e-36 / (1.32e-13 * 1.2 * SILVER**2 * 1.4e19)
    verify("lifetime.surface", filament_lifetime(surface, 2e-9, 300.0), exact, rel=1e-12, unit="s",
           title="lifetime of a silver filament of 2 nm by surface diffusion, 300 K",
           source="kT R^4/(D gamma Omega^2 nu)")  # fmt: skip
    waves = 2.0 * pi * 2e-9 * np.linspace(1.0, 3.0, 200_001)
    growth = ripple_growth(surface, 2e-9, waves, 300.0)
    verify("lifetime.ripple", growth.max() * exact, 0.25, rel=1e-8,
           title="growth of the fastest ripple times that lifetime",
           source="Nichols and Mullins (1965)")  # fmt: skip


def first_times(make, times) -> np.ndarray:
    """First event of each of the sites."""
    stream = Stream(2, make.__name__)
    clocks, found = Clocks.started(stream, np.arange(COUNT)), np.full(COUNT, np.inf)
    for start, end in pairwise(times):
        clocks, events = advance(clocks, stream, make(start, end), renew=False)
        first = events.draws == 0
        found[events.sites[first]] = events.times[first]
    return found


def constant(start: float, end: float) -> Hazard:
    rate = np.full(COUNT, 0.25)
    return LinearHazard(start, end, rate, rate)


def ramp(start: float, end: float) -> Hazard:
    return ExactHazard(start, end, COUNT, lambda which, times: times**30.0)


def growing(start: float, end: float) -> Hazard:
    rates = [np.full(COUNT, 0.01 * np.exp(2.0 * t)) for t in (start, end)]
    return ExponentialHazard(start, end, *rates)


def test_random_events(verify):
    words = philox(np.array([[5], [6], [7], [8]], np.uint64), (3, 4))[:, 0]
    key, before = np.array([3, 4], np.uint64), np.array([4, 6, 7, 8], np.uint64)
    theirs = np.random.Philox(key=key, counter=before).random_raw(4)
    verify("events.generator", words % 2**32, theirs % 2**32, abs=0.0,
           title="lower halves of four random words", source="NumPy's Philox")  # fmt: skip
    axes = {"xlabel": "time over mean", "ylabel": "sites without event", "yscale": "log",
            "title": "waiting times of 10 000 sites"}  # fmt: skip
    waits = np.array([0.0, 0.01, 3.0, 3.5, 12.0, 60.0])
    times = first_times(constant, waits)
    verify("events.mean", times.mean(), 4.0, rel=3.0 / np.sqrt(COUNT), unit="s",
           title="mean wait of 10 000 sites at 0.25/s", source="1/rate, three errors")  # fmt: skip
    verify("events.exponential", kstest(times, "expon", args=(0.0, 4.0)).statistic, 0.0,
           abs=DISTANCE, title="distance of the distribution of waits",
           source="exponential, bound of Kolmogorov at 1 %")  # fmt: skip
    thresholds = first_times(ramp, np.linspace(0.0, 2.0, 6))
    verify("events.weibull", kstest(thresholds, weibull_min(30.0).cdf).statistic, 0.0,
           abs=DISTANCE, title="the same under a ramp, rate ~ V^29",
           source="Weibull of shape 30")  # fmt: skip
    verify("events.gompertz",
           kstest(first_times(growing, np.linspace(0.0, 9.0, 10)),
                  lambda t: -np.expm1(-0.005 * np.expm1(2.0 * t))).statistic, 0.0,
           abs=DISTANCE, title="the same at a rate that grows as exp(2 t)",
           source="Gompertz")  # fmt: skip
    spread = thresholds.std(ddof=1) / thresholds.mean()
    verify("events.variation", spread, float(weibull_variation(30.0)), rel=0.03,
           title="variation of the thresholds", source="B1.8; about 1.28/30")  # fmt: skip
    verify("events.sharp", float(weibull_variation(1e5)) / sharp_variation(1e5), 1.0, rel=1e-5,
           title="exact variation over 1.28/k, k = 1e5", source="B1.8; Gumbel")  # fmt: skip
    halved = first_times(constant, np.linspace(0.0, 60.0, 301))
    verify("events.steps", np.abs(halved - times).max(), 0.0, abs=1e-9, unit="s",
           title="largest difference of instants between 5 and 300 steps",
           source="the same events")  # fmt: skip
    ordered, left = np.sort(times) / 4.0, 1.0 - np.arange(COUNT) / COUNT
    shown = np.unique(np.geomspace(1, COUNT, 30).astype(int))
    verify.curve("events", ordered[COUNT - shown], left[COUNT - shown], label="ionstack",
                 points=True, **axes)  # fmt: skip
    line = np.linspace(0.0, 9.0, 19)
    verify.curve("events", line, np.exp(-line), label="exact", **axes)
