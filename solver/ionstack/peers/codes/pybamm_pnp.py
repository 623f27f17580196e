"""PyBaMM with IDAKLU on the 1-D film of `devsim_pnp`, in units of length, kT/q and c0.

Cell-centred finite volumes; adaptive time steps. Values are the charge of the left
electrode [C/m2] at the times that are compared.
"""

from __future__ import annotations

import argparse
from functools import partial
from time import perf_counter

import numpy as np
import pybamm

from .report import Report, publish

CHARGE = 1.602176634e-19
THERMAL = 1.380649e-23 * 300.0 / CHARGE  # V
PERMITTIVITY = 25.0 * 8.8541878128e-12
LENGTH = 1e-7  # m
CONCENTRATION = 1e25  # 1/m3
SECONDS = LENGTH**2 / 1e-16  # of one unit of time
# Squared Debye length over squared length.
DEBYE = PERMITTIVITY * THERMAL / (CHARGE * CONCENTRATION * LENGTH**2)
STEP_TIMES = (
    0.001,
    0.0061051,
    0.0159374246,
    0.0572749995,
    0.164494023,
    0.442592556,
    1.16390853,
    3.0348164,
    10.0,
)
TRIANGLE_TIMES = (0.01, 0.1, 0.5, 0.7, 1.0, 1.3, 1.5, 1.7, 2.0)


def voltage(protocol: str) -> pybamm.Symbol:
    """Left voltage [V]: constant, or the triangle 0, 0.5, -0.5, 0 V at 1 V/s."""
    if protocol == "step":
        return pybamm.Scalar(0.5)
    time = pybamm.t * SECONDS
    return 0.5 - abs(time - 0.5) + 2.0 * pybamm.maximum(time - 1.5, 0.0)


def model(protocol: str) -> pybamm.BaseModel:
    """Poisson and the ion balance; the charge is that at the left face."""
    film = pybamm.BaseModel(name="film")
    ions = pybamm.Variable("ions", domain="film")
    potential = pybamm.Variable("potential", domain="film")
    x = pybamm.SpatialVariableEdge("x", domain="film", coord_sys="cartesian")
    inside = (x > 1e-9) * (x < 1.0 - 1e-9)  # nothing crosses the outer faces
    flux = -inside * (pybamm.grad(ions) + ions * pybamm.grad(potential))
    film.rhs = {ions: -pybamm.div(flux)}
    film.algebraic = {potential: DEBYE * pybamm.div(pybamm.grad(potential)) + ions - 1.0}
    film.initial_conditions = {ions: pybamm.Scalar(1.0), potential: pybamm.Scalar(0.0)}
    left, zero = voltage(protocol) / THERMAL, pybamm.Scalar(0.0)
    film.boundary_conditions = {
        potential: {"left": (left, "Dirichlet"), "right": (zero, "Dirichlet")},
        ions: {"left": (zero, "Neumann"), "right": (zero, "Neumann")},
    }
    film.variables = {"charge": _charge(ions, left)}
    return film


def _charge(ions: pybamm.Symbol, left: pybamm.Symbol) -> pybamm.Symbol:
    """Charge of the left electrode [C/m2] by Green's identity, exact on the grid."""
    x = pybamm.SpatialVariable("x", domain="film", coord_sys="cartesian")
    image = CHARGE * CONCENTRATION * LENGTH * pybamm.Integral((ions - 1.0) * (1.0 - x), x)
    return PERMITTIVITY * THERMAL / LENGTH * left - image


def discretised(protocol: str, cells: int) -> pybamm.BaseModel:
    """Return the model on a uniform grid."""
    x = pybamm.SpatialVariable("x", domain="film", coord_sys="cartesian")
    geometry = {"film": {x: {"min": 0.0, "max": 1.0}}}
    mesh = pybamm.Mesh(geometry, {"film": pybamm.Uniform1DSubMesh}, {x: cells})
    film = model(protocol)
    pybamm.Discretisation(mesh, {"film": pybamm.FiniteVolume()}).process_model(film)
    return film


def run(protocol: str, cells: int, tolerance: float) -> Report:
    """Solve twice, so that set-up is not counted, and report the second time."""
    film = discretised(protocol, cells)
    # A ramp starts with a rate that the potential does not know yet.
    options = {"max_error_test_failures": 100}
    solver = pybamm.IDAKLUSolver(rtol=tolerance, atol=tolerance, options=options)
    times = STEP_TIMES if protocol == "step" else TRIANGLE_TIMES
    corners = (0.0, times[-1]) if protocol == "step" else (0.0, 0.5, 1.5, 2.0)
    solve = partial(
        solver.solve, film, np.array(corners) / SECONDS, t_interp=np.array(times) / SECONDS
    )
    solve()
    begin = perf_counter()
    solution = solve()
    seconds = perf_counter() - begin
    charge = solution["charge"](np.array(times) / SECONDS)
    return Report(
        code="PyBaMM (IDAKLU)",
        version=pybamm.__version__,
        problem=f"PNP {protocol} 1-D, {cells} cells, tolerance {tolerance:g}",
        nodes=cells,
        seconds_total=seconds,
        newton_steps=None,
        values={"charge": {f"{t:.9g}": float(q) for t, q in zip(times, charge, strict=True)}},
    )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protocol", choices=("step", "triangle"), default="step")
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--tolerance", type=float, default=1e-8)
    options = parser.parse_args()
    publish(run(options.protocol, options.cells, options.tolerance))


if __name__ == "__main__":
    main()
