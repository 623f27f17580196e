"""DEVSIM on a mobile cation with a fixed background between blocking electrodes.

SI units. A film of 100 nm holds 1e25 1/m3 of z = +1 ions that start uniform. 1-D
values are the charge of the left electrode in C/m2, for a step to 0.5 V or for a
triangle 0, 0.5, -0.5, 0 V at 1 V/s. In 2-D a top electrode covers half the width;
values are its charge in C per m depth. Backward Euler with given time steps.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from time import perf_counter

import devsim

from . import devsim_base as base
from .report import Report, publish

LENGTH = 1e-7  # m
CONCENTRATION = 1e25  # 1/m3
MATERIAL = {
    "q": base.CHARGE,
    "Vt": base.THERMAL,
    "diffusivity": 1e-16,
    "permittivity": 25.0 * base.PERMITTIVITY,
    "background": CONCENTRATION,
}
DROP = "((Potential@n0 - Potential@n1)/Vt)"
ION_SUM = f"kahan3(Ions@n1*B({DROP}), -Ions@n0*B({DROP}), -Ions@n0*{DROP})"

Instant = tuple[float, float]  # time [s], voltage [V]


@dataclass(frozen=True)
class Film:
    """A film: grid [m], driven and grounded contact, and when the voltage is what."""

    title: str
    grid: base.Grid
    driven: str
    grounded: str
    protocol: list[Instant]


def step_protocol(growth: float) -> list[Instant]:
    """0.5 V from the start; time steps grow from 1 ms until 10 s are reached."""
    return [(time, 0.5) for time in _growing_times(growth, 10.0)]


def _growing_times(growth: float, end: float) -> Iterator[float]:
    time = 0.0
    for number in count():
        time = min(time + 1e-3 * growth**number, end)
        yield time
        if time == end:
            return


def triangle_protocol() -> list[Instant]:
    """0, 0.5, -0.5, 0 V at 1 V/s in steps of 10 ms."""
    hundredths = [*range(1, 51), *range(49, -51, -1), *range(-49, 1)]
    return [((number + 1) / 100.0, value / 100.0) for number, value in enumerate(hundredths)]


def film(protocol: str, cells: int) -> Film:
    """Return the 1-D film of 500 cells, or the 2-D film where `cells` are given."""
    if cells:
        grid = base.rectangle(LENGTH, LENGTH, cells, cells)
        grid = base.left_of(grid, "top", LENGTH / 2.0)
        return Film(f"PNP step 2-D {cells}x{cells}", grid, "top", "bottom", step_protocol(1.3))
    instants = step_protocol(1.1) if protocol == "step" else triangle_protocol()
    return Film(f"PNP {protocol} 1-D", base.line(LENGTH, 500), "left", "right", instants)


def build(film: Film) -> None:
    """Make the device with its equations at 0 V."""
    base.load(film.grid)
    for name, value in MATERIAL.items():
        base.parameter(name, value)
    nodes = len(film.grid.points)
    base.unknown("Potential", [0.0] * nodes)
    base.unknown("Ions", [CONCENTRATION] * nodes)
    base.node_model("SpaceCharge", "-q*(Ions - background)", "Ions")
    flux = "permittivity*(Potential@n0 - Potential@n1)*EdgeInverseLength"
    base.edge_model("Displacement", flux, "Potential")
    base.equation("Potential", "default", node_model="SpaceCharge", edge_model="Displacement")
    base.node_model("Stored", "Ions", "Ions")
    base.edge_model("Flux", f"-diffusivity*EdgeInverseLength*{ION_SUM}", "Potential", "Ions")
    base.equation("Ions", "positive", time_node_model="Stored", edge_model="Flux")
    for contact in (film.driven, film.grounded):
        base.parameter(f"{contact}_bias", 0.0)
        base.fix(
            contact, "Potential", f"Potential - {contact}_bias", edge_charge_model="Displacement"
        )


def electrode_charge(contact: str) -> float:
    """Charge on the metal [C/m2 or C/m]: the field's, less that of the nodes' own half cells."""
    field = float(
        devsim.get_contact_charge(device=base.DEVICE, contact=contact, equation="PotentialEquation")
    )
    density, volume = base.node_values("SpaceCharge"), base.node_values("NodeVolume")
    return field + sum(density[node] * volume[node] for node in base.contact_nodes(contact))


def march(film: Film, solver: base.Solver) -> dict[str, float]:
    """Take all time steps and return the electrode charge after each."""
    solver.solve("transient_dc")
    charges, now = {}, 0.0
    for time, voltage in film.protocol:
        base.parameter(f"{film.driven}_bias", voltage)
        solver.solve("transient_bdf1", tdelta=time - now, charge_error=1e10)
        now = time
        charges[f"{time:.9g}"] = electrode_charge(film.driven)
    return charges


def final_state() -> dict[str, float]:
    """Extremes of concentration [1/m3] and the potential of the middle node [V]."""
    ions, potential = base.node_values("Ions"), base.node_values("Potential")
    return {
        "ions_max": max(ions),
        "ions_min": min(ions),
        "potential_middle": potential[len(potential) // 2],
    }


def run(film: Film) -> Report:
    """Solve the transient and report."""
    build(film)
    solver = base.Solver(1e-10, absolute=1e16)
    begin = perf_counter()
    charges = march(film, solver)
    seconds = perf_counter() - begin
    return Report(
        code=base.title(),
        version=devsim.__version__,
        problem=film.title,
        nodes=len(film.grid.points),
        seconds_total=seconds,
        newton_steps=solver.newton_steps,
        values={"charge": charges, "final": final_state()},
    )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protocol", choices=("step", "triangle"), default="step")
    parser.add_argument("--cells", type=int, default=0, help="2-D: cells in either direction")
    parser.add_argument("--steps", type=int, help="only the first so many time steps")
    options = parser.parse_args()
    base.use_threads()
    chosen = film(options.protocol, options.cells)
    publish(run(replace(chosen, protocol=chosen.protocol[: options.steps])))


if __name__ == "__main__":
    main()
