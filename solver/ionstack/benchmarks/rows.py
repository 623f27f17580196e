"""The benchmarks by name, with what they are held against."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ionstack.benchmarks import worker
from ionstack.benchmarks.circuits import circuit_row, crossbar_row, filament_row
from ionstack.benchmarks.devices import diode_line, ion_film, set_up
from ionstack.benchmarks.measure import Peer, Quantity, Row, Run
from ionstack.benchmarks.stacks import stack_row
from ionstack.benchmarks.stresses import stress_row
from ionstack.benchmarks.sweeps import flux_error, layer_sweep, permeation, spectrum
from ionstack.benchmarks.work import (
    RAMP,
    RAMP_CHARGES,
    STEP,
    STEP_CHARGES,
    adaptive_charges,
    bias_sweep,
)
from ionstack.protocols.drive import PiecewiseLinear
from ionstack.solving.newton import NewtonControl
from ionstack.stepping.states import StepControl

Work = Callable[[], Run]

_CENTIMETRE = 100.0  # per metre: A/cm to A/m
_DEVSIM, _PYBAMM, _FESTIM = "DEVSIM", "PyBaMM", "FESTIM"
_MUMPS, _OTHER = "MUMPS, same matrix", "best of two, same matrix"


def _diode_1d(quick: bool) -> Work:
    device = set_up(*diode_line(), {})
    return partial(bias_sweep, device, [0.02 * i for i in range(10 if quick else 50)])


def _ions_1d(
    drive: PiecewiseLinear, exact: dict[float, float], control: StepControl, quick: bool
) -> Work:
    film = ion_film(2e-10, 1.1) if quick else ion_film(2e-11, 1.025)
    # The update after one of 1e-7 V would be 1e-13 V.
    device = set_up(*film, {"film": {"ions": 1.0}}, control=NewtonControl(tolerance=1e-7))
    return partial(adaptive_charges, device, drive, control, exact)


def _pnp(name: str, protocol: str, work: Callable[[bool], Work]) -> Row:
    peers = (
        Peer(_DEVSIM, "devsim_pnp", ("--protocol", protocol), "charge"),
        Peer(_PYBAMM, "pybamm_pnp", ("--protocol", protocol), "charge"),
    )
    quantities = (
        Quantity("time", "seconds", "ms", 0.25, _DEVSIM, scale=1e3),
        Quantity("time", "seconds", "ms", 2.5, _PYBAMM, scale=1e3),
        Quantity("error of the charge", "error", "1", 1e-4),
    )
    return Row(name, work, quantities, peers)


def _outside(small: tuple[str, ...], full: tuple[str, ...], ranks: int, quick: bool) -> Work:
    return partial(worker.start, small if quick else full, ranks)


def _plane(name: str, cells: tuple[str, str], limit: float, biases: str, repeats: int) -> Row:
    problem = ("diode-plane", *cells, "--mumps", "--biases", biases)
    small = ("diode-plane", "50", "25", "--mumps", "--biases", "3")
    arguments = ("--cells", *cells, "--biases", biases)
    peer = Peer(_DEVSIM, "devsim_diode", arguments, scale=_CENTIMETRE)
    quantities = (
        Quantity("step", "step", "ms", limit, _MUMPS, "direct", 1e3),
        Quantity("step", "step", "ms", None, _DEVSIM, scale=1e3),
        Quantity("memory", "memory", "MB", 0.5, _DEVSIM),
    )
    return Row(name, partial(_outside, small, problem, 1), quantities, (peer,), repeats)


def _two_ranks() -> Row:
    problem = ("diode-plane", "448", "223", "--biases", "3")
    small = ("diode-plane", "50", "25", "--biases", "3")
    arguments = ("--cells", "448", "223", "--biases", "3")
    peer = Peer(_DEVSIM, "devsim_diode", arguments, threads=2, scale=_CENTIMETRE)
    quantities = (
        Quantity("step", "step", "ms", 0.75, _DEVSIM, scale=1e3),
        Quantity("memory", "memory", "MB", 0.5, _DEVSIM),
    )
    work = partial(_outside, small, problem, 2)
    return Row("diode-2d-100k-2-ranks", work, quantities, (peer,), 3)


def _pnp_plane() -> Row:
    problem = ("ion-plane", "200", "--steps", "8")
    peer = Peer(_DEVSIM, "devsim_pnp", ("--cells", "200", "--steps", "8"), "charge")
    quantities = (
        Quantity("step", "step", "ms", 1.0 / 3.0, _DEVSIM, scale=1e3),
        Quantity("memory", "memory", "MB", None, _DEVSIM),
    )
    small = ("ion-plane", "20", "--steps", "3")
    return Row("pnp-2d", partial(_outside, small, problem, 1), quantities, (peer,), 5)


def _block() -> Row:
    problem = ("block", "36", "--biases", "4", "--rise", "0.2", "--iterate")
    small = ("block", "8", "--biases", "3", "--rise", "0.2", "--iterate")
    quantities = (
        Quantity("step", "step", "ms", 1.5, _OTHER, "iterative", 1e3),
        Quantity("memory", "memory", "MB", 1000.0),
    )
    return Row("diode-3d-50k", partial(_outside, small, problem, 1), quantities, (), 3)


def _large_block() -> Row:
    problem = ("block", "66", "--biases", "2", "--rise", "0.2", "--solver", "iterative")
    small = ("block", "8", "--biases", "2", "--rise", "0.2", "--solver", "iterative")
    quantities = (
        Quantity("step", "step", "s"),
        Quantity("total", "total", "s"),
        Quantity("memory", "memory", "MB"),
        Quantity("unknowns", "unknowns", "1"),
    )
    return Row("diode-3d-300k", partial(_outside, small, problem, 2), quantities, (), 1)


def _voxel_map(dimension: int, lateral: int, axial: int, limit: float) -> Row:
    problem = ("voxels", str(lateral), str(axial), str(dimension), "256")
    small = ("voxels", "5", "5", str(dimension), "16")
    quantities = (
        Quantity("time", "seconds", "s", limit),
        Quantity("processor time", "work", "s"),
        Quantity("memory", "memory", "MB", 2000.0),
    )
    return Row(f"voxels-{dimension}d", partial(_outside, small, problem, 1), quantities, (), 3)


def _layer_sweep(quick: bool) -> Work:
    return layer_sweep(40 if quick else 400, 13 if quick else 121)


def _growth(ranks: int, nx: int) -> Row:
    problem = ("diode-plane", str(nx), str(nx // 2), "--biases", "3")
    quantities = (
        Quantity("step", "step", "ms", scale=1e3),
        Quantity("unknowns", "unknowns", "1"),
    )
    work = partial(_outside, ("diode-plane", "20", "10", "--biases", "2"), problem, ranks)
    return Row(f"growth-{nx}-{ranks}", work, quantities, (), 1)


_GROWTH = tuple(_growth(ranks, nx) for ranks in (1, 2) for nx in (26, 58, 129, 258, 447, 816))


def _permeation(
    name: str, work: Callable[[bool], Work], repeats: int | None, *arguments: str
) -> Row:
    quantities = (
        Quantity("time", "seconds", "ms", 1.0 / 3.0, _FESTIM, scale=1e3),
        Quantity("error of the flux", "error", "1", 1.0, _FESTIM),
    )
    peer = Peer(_FESTIM, "festim_layers", arguments, "flux_right", error=flux_error)
    return Row(name, work, quantities, (peer,), repeats)


ROWS = {
    row.name: row
    for row in (
        Row(
            "diode-1d",
            _diode_1d,
            (
                Quantity("step", "step", "ms", 0.2, _DEVSIM, scale=1e3),
                Quantity("sweep", "seconds", "ms", 1.0 / 3.0, _DEVSIM, scale=1e3),
            ),
            (Peer(_DEVSIM, "devsim_diode", scale=_CENTIMETRE**2),),
        ),
        _pnp(
            "pnp-step",
            "step",
            partial(_ions_1d, STEP, STEP_CHARGES, StepControl(tolerance=3e-5, initial=1e-6)),
        ),
        _pnp(
            "pnp-ramp",
            "triangle",
            partial(_ions_1d, RAMP, RAMP_CHARGES, StepControl(tolerance=5e-6, initial=1e-5)),
        ),
        _plane("diode-2d-20k", ("200", "100"), 1.15, "9", 5),
        _plane("diode-2d-100k", ("448", "223"), 1.10, "3", 3),
        _two_ranks(),
        _pnp_plane(),
        _block(),
        _large_block(),
        Row(
            "sweep-3-layers",
            _layer_sweep,
            (Quantity("time", "seconds", "s", 2.0),),
        ),
        _permeation("solubility-1d", lambda quick: permeation(10 if quick else 50, 1e-3), None),
        _permeation(
            "solubility-2d",
            lambda quick: permeation(10 if quick else 200, 3e-3, "2d", "iterative"),
            3,
            "--plane",
            "--cells",
            "200",
        ),
        Row(
            "impedance-1d",
            lambda quick: spectrum(40 if quick else 400, 5 if quick else 60),
            (Quantity("time", "seconds", "s", 1.0),),
        ),
        *_GROWTH,
        stack_row("1d", "stack.grading.growth=1.05"),
        stack_row("2d", "stack.lateral.cells=92"),
        stack_row("3d", "stack.lateral.cells=7"),
        circuit_row(),
        crossbar_row(),
        filament_row(),
        stress_row("1d", 1.05),
        stress_row("axisymmetric", 2.0, "stack.lateral.cells=92"),
        _voxel_map(2, 60, 40, 10.0),
        _voxel_map(3, 47, 30, 60.0),
    )
}
