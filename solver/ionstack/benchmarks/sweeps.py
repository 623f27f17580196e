"""Whole runs: a sweep of three layers with ions, permeation through two, and impedance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np
from scipy.interpolate import CubicSpline

from ionstack.benchmarks.devices import (
    RESERVOIR,
    TEMPERATURE,
    THERMAL,
    Device,
    Floats,
    bound,
    line_stack,
    set_up,
    species,
    two_layers,
)
from ionstack.benchmarks.measure import Run
from ionstack.benchmarks.work import one_sided
from ionstack.geometry.stack import Dimension, Stack
from ionstack.models.model import ContactModel, InterfaceModel, Model, RegionModel
from ionstack.solving.impedance import impedance
from ionstack.solving.linear import Choice
from ionstack.solving.newton import NewtonControl
from ionstack.stepping.states import StepControl
from ionstack.stepping.stepper import Stepper

Work = Callable[[], Run]

# Content at the start over that of the reservoir: 0 as far as the fluxes tell.
_EMPTY = 1e-5
# Newton's method errs by about the square of its last update, in units of kT/e.
_LAST_UPDATE = 1e-3  # V
# Well before the first flux that is compared.
_FIRST_STEP = 1e-3  # s
_FILMS = ("donors", "absorber", "acceptors")
_RATE = 0.1  # V/s
_PEAK = 1.2  # V


def three_layers(nodes: int) -> tuple[Stack, Model]:
    """Return a film with mobile ions between an n- and a p-doped film, ohmic contacts."""
    intrinsic, gap = 1e12, 0.8  # 1/m^3; half of the band gap [eV]
    sites = intrinsic * np.exp(gap / THERMAL)
    carriers = (
        species("electron", -1, sites, 1e-4 * THERMAL, gap),
        species("hole", 1, sites, 1e-4 * THERMAL, gap),
    )
    ion = species("ion", 1, 1e23, 1e-16, 0.0)
    regions = (
        RegionModel(_FILMS[0], 10.0, 1e24, carriers),
        RegionModel(_FILMS[1], 25.0, -1e23, (*carriers, ion)),
        RegionModel(_FILMS[2], 10.0, -1e24, carriers),
    )
    merged = {one.name: bound("interface", "continuous") for one in carriers}
    interfaces = tuple(InterfaceModel(pair, merged) for pair in (_FILMS[:2], _FILMS[1:]))
    fast = {one.name: bound("contact", "finite_rate", velocity=1e4) for one in carriers}
    contacts = ("cathode", "anode")
    metals = tuple(ContactModel(name, None, fast) for name in contacts)
    size = 4e-7 / nodes
    stack = line_stack(
        {
            _FILMS[0]: (5e-8, size, 1.0),
            _FILMS[1]: (3e-7, size, 1.0),
            _FILMS[2]: (5e-8, size, 1.0),
        },
        contacts,
    )
    valences = {"electron": -1, "hole": 1, "ion": 1}
    return stack, Model(TEMPERATURE, valences, regions, interfaces, metals)


def layer_sweep(nodes: int, points: int) -> Work:
    """Return an up-and-down sweep with `points` currents."""
    device = set_up(*three_layers(nodes), {_FILMS[1]: {"ion": 1.0}})
    half = _PEAK / _RATE
    drive = one_sided((0.0, half, 2.0 * half), (0.0, -_PEAK, 0.0))

    def work() -> Run:
        start = device.unknowns()
        begin = perf_counter()
        control = StepControl(largest=2.0 * half / (points - 1))
        stepper = Stepper(device.system, device.newton, drive, control)
        states = list(stepper.run())
        times = np.linspace(0.0, 2.0 * half, points)
        currents = np.interp(
            times, [one.time for one in states], [one.currents[1] for one in states]
        )
        seconds = perf_counter() - begin
        device.restore(start)
        values = {f"{t:.6g}": float(current) for t, current in zip(times, currents, strict=True)}
        steps = float(stepper.newton_steps)
        return Run({"seconds": seconds, "steps": steps, "step": seconds / steps}, values)

    return work


# Flux out of two layers with a jump of solubility, by inverse Laplace transform.
FLUXES = {0.05: 0.1970272852, 0.1: 0.9902859877, 0.2: 1.954131731, 0.5: 2.475034143}


def permeation(
    cells: int, tolerance: float, dimension: Dimension = "1d", solver: Choice = "auto"
) -> Work:
    """Return the march of a neutral species through two layers; values are fluxes below."""
    contents = {"upper": {"H": _EMPTY}, "lower": {"H": 3.0 * _EMPTY}}
    newton = NewtonControl(tolerance=_LAST_UPDATE)
    problem = two_layers(cells, dimension)
    device = set_up(*problem, contents, solver, control=newton, start="as_given")
    control = StepControl(tolerance=tolerance, initial=_FIRST_STEP)
    idle = one_sided((0.0, max(FLUXES)), (0.0, 0.0))
    weights = _flux_weights(device, cells)

    def work() -> Run:
        start = device.unknowns()
        begin = perf_counter()
        stepper = Stepper(device.system, device.newton, idle, control)
        found = [(state.time, float(weights @ state.amounts)) for state in stepper.run()]
        seconds = perf_counter() - begin
        device.restore(start)
        flux = CubicSpline(*np.array(found).T)
        values = {f"{time:g}": float(flux(time)) for time in FLUXES}
        steps = float(stepper.newton_steps)
        return Run({"seconds": seconds, "steps": steps, "error": flux_error(values)}, values)

    return work


def flux_error(values: Mapping[str, float]) -> float:
    """Largest relative error of fluxes by time."""
    return max(abs(values[f"{time:g}"] / one - 1.0) for time, one in FLUXES.items())


def _flux_weights(device: Device, cells: int) -> Floats:
    """What takes amounts to the flux out of the bottom: the density's slope in the last cells.

    Amounts over the volumes of nodes are densities; those of the lowest nodes are half cells.
    """
    layout, volumes = device.system.layout, device.system.equations.volumes
    level = np.rint(cells * volumes.depth[layout.node[: layout.n_owned]])
    lowest, above = (level == cells), (level == cells - 1)
    return np.asarray((above - 2.0 * lowest) * cells**2 / RESERVOIR)


def spectrum(nodes: int, points: int) -> Work:
    """Return the impedance of three layers in equilibrium; values are its real parts [Ohm m^2]."""
    device = set_up(*three_layers(nodes), {_FILMS[1]: {"ion": 1.0}})
    frequencies = [float(one) for one in np.geomspace(1e-3, 1e9, points)]

    def work() -> Run:
        begin = perf_counter()
        found = impedance(device.system, np.zeros(2), frequencies, "anode")
        seconds = perf_counter() - begin
        pairs = zip(frequencies, found, strict=True)
        return Run({"seconds": seconds}, {f"{f:.6g}": float(one.real) for f, one in pairs})

    return work
