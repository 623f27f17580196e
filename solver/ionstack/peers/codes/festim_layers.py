"""FESTIM on diffusion through two layers with a jump of solubility, without units.

Layers 0.4 and 0.6 thick with D 2 and 1 and K 1 and 3; c = 1 on the left, 0 on the
right, 0 at first, c/K continuous. Values are the flux out of the right side. The
interface condition is enforced by a penalty, whose size decides the accuracy.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import dolfinx
import festim
import numpy as np
from mpi4py import MPI

from .report import Report, publish

TIME_STEP = 0.0025
END = 0.5
JUNCTION = 0.4
COMPARED = (0.05, 0.1, 0.2, 0.5)


def mesh(cells: int, plane: bool) -> festim.Mesh:
    """Return a uniform line of cells, or right triangles on the unit square."""
    if plane:
        return festim.Mesh(dolfinx.mesh.create_unit_square(MPI.COMM_WORLD, cells, cells))
    return festim.Mesh(dolfinx.mesh.create_unit_interval(MPI.COMM_WORLD, cells))


def problem(grid: festim.Mesh, penalty: float) -> festim.HydrogenTransportProblemDiscontinuous:
    """Return the problem before set-up; its only export is the flux on the right."""
    layers = [
        festim.VolumeSubdomain(1, _material(2.0, 1.0), lambda x: x[0] <= JUNCTION + 1e-9),
        festim.VolumeSubdomain(2, _material(1.0, 3.0), lambda x: x[0] >= JUNCTION - 1e-9),
    ]
    left = festim.SurfaceSubdomain(3, lambda x: np.isclose(x[0], 0.0))
    right = festim.SurfaceSubdomain(4, lambda x: np.isclose(x[0], 1.0))
    ions = festim.Species("H", subdomains=layers)
    stepsize = festim.Stepsize(TIME_STEP)
    return festim.HydrogenTransportProblemDiscontinuous(
        mesh=grid,
        subdomains=[*layers, left, right],
        species=[ions],
        temperature=300.0,
        boundary_conditions=[
            festim.FixedConcentrationBC(left, value=1.0, species=ions),
            festim.FixedConcentrationBC(right, value=0.0, species=ions),
        ],
        settings=festim.Settings(atol=1e-10, rtol=1e-10, final_time=END, stepsize=stepsize),
        exports=[festim.SurfaceFlux(ions, right)],
        interfaces=[festim.Interface(5, layers, penalty_term=penalty)],
    )


def _material(diffusivity: float, solubility: float) -> festim.Material:
    return festim.Material(
        D_0=diffusivity, E_D=0.0, K_S_0=solubility, E_K_S=0.0, solubility_law="henry"
    )


def run(cells: int, plane: bool, penalty: float) -> Report:
    """March to the end and report."""
    layers = problem(mesh(cells, plane), penalty)
    layers.initialise()
    begin = perf_counter()
    layers.run()
    seconds = perf_counter() - begin
    flux = layers.exports[0]
    values = {f"{t:g}": float(np.interp(t, flux.t, flux.data)) for t in COMPARED}
    return Report(
        code="FESTIM",
        version=festim.__version__,
        problem=f"two layers {'2-D' if plane else '1-D'}, penalty {penalty:g}",
        nodes=layers.mesh.mesh.topology.index_map(0).size_global,
        seconds_total=seconds,
        newton_steps=None,
        values={"flux_right": values},
    )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=500, help="in either direction")
    parser.add_argument("--plane", action="store_true", help="2-D")
    parser.add_argument("--penalty", type=float, default=1e5)
    options = parser.parse_args()
    publish(run(options.cells, options.plane, options.penalty))


if __name__ == "__main__":
    main()
