"""What is timed: sweeps and transients of the reference problems, with their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.interpolate import CubicHermiteSpline

from ionstack.assembly.assemble import System
from ionstack.benchmarks.devices import Device
from ionstack.benchmarks.measure import Run
from ionstack.errors import NumericsError
from ionstack.protocols.drive import PiecewiseLinear
from ionstack.solving.newton import Outcome, Scheme
from ionstack.solving.steady import Steady
from ionstack.stepping.states import StepControl
from ionstack.stepping.stepper import Stepper

Floats = NDArray[np.float64]

# Charge of the left electrode [C/m^2] of the 1-D film of ions, exact in space and time.
STEP_CHARGES = {
    0.001: 1.137612682e-3,
    0.0061051: 1.293654667e-3,
    0.0159374246: 1.590431695e-3,
    0.0572749995: 2.799041108e-3,
    0.164494023: 5.664196267e-3,
    0.442592556: 1.120425516e-2,
    1.16390853: 1.613481445e-2,
    3.0348164: 1.679092492e-2,
    10.0: 1.679270412e-2,
}
RAMP_CHARGES = {
    0.01: 2.519548059e-5,
    0.1: 5.155840813e-4,
    0.5: 7.407634569e-3,
    0.7: 9.659076766e-3,
    1.0: 8.050954749e-3,
    1.3: 2.527506674e-3,
    1.5: -2.950914796e-3,
    1.7: -6.400386988e-3,
    2.0: -6.100340567e-3,
}


def one_sided(
    times: Sequence[float], voltages: Sequence[float], contacts: int = 2
) -> PiecewiseLinear:
    """Voltages of the first contact [V] at given times [s]; the other contacts are at 0 V."""
    others = (0.0,) * (contacts - 1)
    return PiecewiseLinear(tuple(times), tuple((voltage, *others) for voltage in voltages))


STEP = one_sided((0.0, 10.0), (0.5, 0.5))
RAMP = one_sided((0.0, 0.5, 1.5, 2.0), (0.0, 0.5, -0.5, 0.0))


def growing_times(growth: float, end: float = 10.0) -> tuple[float, ...]:
    """Times from 0 on; steps grow from 1 ms until the end is reached."""
    times = [0.0]
    while times[-1] < end:
        times.append(min(times[-1] + 1e-3 * growth ** (len(times) - 1), end))
    return tuple(times)


def bias_sweep(device: Device, biases: Sequence[float]) -> Run:
    """Follow the steady state; values are currents out of the last contact, which is at 0 V.

    There even small currents keep their digits: potentials are near 0.
    """
    start = device.unknowns()
    steady = Steady(device.system, device.newton)
    begin = perf_counter()
    states = list(steady.follow(_levels(device, bias) for bias in biases))
    seconds = perf_counter() - begin
    device.restore(start)
    pairs = zip(biases, states, strict=True)
    currents = {f"{bias:g}": -float(state.currents[-1]) for bias, state in pairs}
    steps = steady.newton_steps
    return Run({"seconds": seconds, "step": seconds / steps, "steps": float(steps)}, currents)


def _levels(device: Device, bias: float) -> Floats:
    levels = np.zeros(len(device.system.equations.volumes.contacts))
    levels[0] = bias
    return levels


def adaptive_charges(
    device: Device, drive: PiecewiseLinear, control: StepControl, exact: dict[float, float]
) -> Run:
    """Run a transient; values are charges of the first contact at the times of `exact`."""
    start = device.unknowns()
    begin = perf_counter()
    jump(device, np.array(drive.voltages[0]))
    stepper = Stepper(device.system, device.newton, drive, control)
    found = [(state.time, state.charges[0], state.currents[0]) for state in stepper.run()]
    seconds = perf_counter() - begin
    device.restore(start)
    charge = CubicHermiteSpline(*np.array(found).T)
    values = {f"{time:.9g}": float(charge(time)) for time in exact}
    largest = max(abs(one) for one in exact.values())
    error = max(abs(values[f"{t:.9g}"] - one) for t, one in exact.items()) / largest
    steps = stepper.newton_steps
    return Run({"seconds": seconds, "step": seconds / steps, "error": error}, values)


def fixed_charges(device: Device, times: Sequence[float], voltages: Sequence[float]) -> Run:
    """Take one implicit Euler step to each time; values are charges of the first contact."""
    start = device.unknowns()
    drive = one_sided(times, voltages)
    stepper = Stepper(device.system, device.newton, drive, StepControl(fixed=2.0 * times[-1]))
    begin = perf_counter()
    values = {f"{state.time:.9g}": float(state.charges[0]) for state in stepper.run()}
    seconds = perf_counter() - begin
    device.restore(start)
    del values["0"]
    return Run({"seconds": seconds, "step": seconds / stepper.newton_steps}, values)


def jump(device: Device, voltages: Floats) -> None:
    """Let the potential follow voltages that jump, while all particles stay where they are."""
    system = device.system
    zero = np.zeros(system.layout.n_owned)
    amounts = device.newton.evaluate(Scheme(zero, 0.0, 0.0, voltages)).amounts
    result = device.newton.solve(Scheme(-amounts, 1.0, 0.0, voltages))
    if result.outcome is not Outcome.CONVERGED:
        raise NumericsError(f"no start after a jump of the voltages: {result.outcome.value}")


def direct_solver(system: System) -> Callable[[], float]:
    """Return a timed factorisation and solve by MUMPS with the present matrix.

    The symbolic analysis is kept from call to call.
    """
    ksp = PETSc.KSP().create(system.comm)
    ksp.setOptionsPrefix("bench_mumps_")
    ksp.setType(PETSc.KSP.Type.PREONLY)
    ksp.getPC().setType(PETSc.PC.Type.LU)
    ksp.getPC().setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
    ksp.setOperators(system.matrix)
    solution = system.update.duplicate()

    def work() -> float:
        system.matrix.stateIncrease()
        begin = perf_counter()
        ksp.solve(system.right_side, solution)
        return perf_counter() - begin

    return work
