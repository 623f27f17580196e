"""DEVSIM on a silicon pn diode, in one dimension or in two; lengths in cm.

1-D: 4 um with 1001 nodes, 50 biases; values are A/cm2. 2-D: 4 x 2 um with a round
junction, 9 biases; values are A per cm depth.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from math import asinh, exp, hypot, tanh
from time import perf_counter

import devsim

from . import devsim_base as base
from .report import Report, publish

UM = 1e-4
INTRINSIC = 1e10  # 1/cm3
ACCEPTORS = 2e17  # 1/cm3
CONTINUITY = {"Electrons": "ElectronCurrent", "Holes": "HoleCurrent"}
MATERIAL = {
    "Vt": base.THERMAL,
    "ni": INTRINSIC,
    "mu_n": 1000.0,
    "mu_p": 400.0,
    "tau": 1e-8,
    "permittivity": 11.7 * base.PERMITTIVITY / 100.0,
}
DROP = "((Potential@n0 - Potential@n1)/Vt)"
# Compensated sums: at low bias the drift and diffusion parts cancel.
ELECTRON_SUM = f"kahan3(Electrons@n1*B({DROP}), Electrons@n1*{DROP}, -Electrons@n0*B({DROP}))"
HOLE_SUM = f"kahan3(Holes@n1*B({DROP}), -Holes@n0*B({DROP}), -Holes@n0*{DROP})"
# Ohmic contacts: neutral, in equilibrium, at the applied voltage.
MAJORITY = "(0.5*(abs(Doping) + (Doping^2 + 4*ni^2)^0.5))"
CONTACT_VALUES = {
    "Potential": f"ifelse(Doping > 0, Vt*log({MAJORITY}/ni), -Vt*log({MAJORITY}/ni))",
    "Electrons": f"ifelse(Doping > 0, {MAJORITY}, ni^2/{MAJORITY})",
    "Holes": f"ifelse(Doping > 0, ni^2/{MAJORITY}, {MAJORITY})",
}


@dataclass(frozen=True)
class Diode:
    """A diode: grid [cm], net doping [1/cm3] at every node, p and n contact, biases [V]."""

    title: str
    grid: base.Grid
    doping: list[float]
    anode: str
    cathode: str
    biases: list[float]


def line() -> Diode:
    """Return the 1-D diode; its middle node is undoped."""
    doping = [-ACCEPTORS] * 500 + [0.0] + [5e16] * 500
    biases = [0.02 * i for i in range(50)]
    return Diode("diode 1-D", base.line(4.0 * UM, 1000), doping, "left", "right", biases)


def plane(nx: int, ny: int) -> Diode:
    """Return the 2-D diode with a round junction at a corner."""
    grid = base.left_of(base.rectangle(4.0 * UM, 2.0 * UM, nx, ny), "bottom", 0.5 * UM)
    doping = [_round_doping(hypot(x, y) / UM) for x, y in grid.points]
    biases = [0.1 * i for i in range(9)]
    return Diode(f"diode 2-D {nx}x{ny}", grid, doping, "bottom", "top", biases)


def _round_doping(radius: float) -> float:
    """Net doping [1/cm3] at a distance [um] from the corner."""
    donors = 1e16
    return donors - (ACCEPTORS + donors) / 2.0 * (1.0 - tanh((radius - 1.0) / 0.1))


def build(diode: Diode, charge: float) -> None:
    """Make the device with its equations, and start from local neutrality."""
    base.load(diode.grid)
    for name, value in (MATERIAL | {"q": charge}).items():
        base.parameter(name, value)
    base.unknown("Doping", diode.doping)
    reduced = [asinh(doping / 2.0 / INTRINSIC) for doping in diode.doping]
    base.unknown("Potential", [base.THERMAL * value for value in reduced])
    base.unknown("Electrons", [INTRINSIC * exp(value) for value in reduced])
    base.unknown("Holes", [INTRINSIC * exp(-value) for value in reduced])
    _bulk_equations()
    for contact in (diode.anode, diode.cathode):
        _ohmic(contact)


def _bulk_equations() -> None:
    """Poisson and both continuity equations with Shockley-Read-Hall recombination."""
    base.node_model("SpaceCharge", "-q*kahan3(Holes, -Electrons, Doping)", *CONTINUITY)
    rate = "q*(Electrons*Holes - ni^2)/(tau*(Electrons + Holes + 2*ni))"
    base.node_model("ElectronsLost", f"-{rate}", *CONTINUITY)
    base.node_model("HolesLost", rate, *CONTINUITY)
    flux = "permittivity*(Potential@n0 - Potential@n1)*EdgeInverseLength"
    base.edge_model("Displacement", flux, "Potential")
    electrons, holes = (f"q*Vt*EdgeInverseLength*{s}" for s in (ELECTRON_SUM, HOLE_SUM))
    base.edge_model("ElectronCurrent", f"mu_n*{electrons}", "Potential", "Electrons")
    base.edge_model("HoleCurrent", f"-mu_p*{holes}", "Potential", "Holes")
    base.equation("Potential", "log_damp", node_model="SpaceCharge", edge_model="Displacement")
    for name, current in CONTINUITY.items():
        base.equation(name, "positive", node_model=f"{name}Lost", edge_model=current)


def _ohmic(contact: str) -> None:
    """Fix all unknowns at a contact; the potential follows the parameter `CONTACT_bias`."""
    base.parameter(f"{contact}_bias", 0.0)
    potential = f"Potential - {CONTACT_VALUES['Potential']} - {contact}_bias"
    base.fix(contact, "Potential", potential)
    for name, current in CONTINUITY.items():
        residual = f"{name} - {CONTACT_VALUES[name]}"
        base.fix(contact, name, residual, edge_current_model=current)


def sweep(diode: Diode, solver: base.Solver) -> dict[str, dict[str, float]]:
    """Raise the bias and return the currents into both contacts."""
    contacts = {"anode": diode.anode, "cathode": diode.cathode}
    values: dict[str, dict[str, float]] = {f"current_{name}": {} for name in contacts}
    for bias in diode.biases:
        base.parameter(f"{diode.anode}_bias", bias)
        solver.solve()
        for name, contact in contacts.items():
            values[f"current_{name}"][f"{bias:g}"] = _current(contact)
    return values


def _current(contact: str) -> float:
    return sum(
        float(
            devsim.get_contact_current(
                device=base.DEVICE, contact=contact, equation=f"{name}Equation"
            )
        )
        for name in CONTINUITY
    )


def run(diode: Diode, solver: base.Solver) -> Report:
    """Solve all biases and report."""
    begin = perf_counter()
    values = sweep(diode, solver)
    seconds = perf_counter() - begin
    return Report(
        code=base.title(),
        version=devsim.__version__,
        problem=diode.title,
        nodes=len(diode.grid.points),
        seconds_total=seconds,
        newton_steps=solver.newton_steps,
        values=values,
    )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs=2, type=int, metavar=("NX", "NY"), help="2-D cells")
    parser.add_argument("--wide", action="store_true", help="128-bit numbers")
    parser.add_argument(
        "--charge",
        type=float,
        default=base.CHARGE,
        help="elementary charge [C] (CODATA; DEVSIM's example models have 1.6e-19)",
    )
    parser.add_argument("--biases", type=int, help="only the first so many")
    options = parser.parse_args()
    base.use_threads()
    if options.wide:
        base.use_wide_numbers()
    diode = plane(*options.cells) if options.cells else line()
    diode = replace(diode, biases=diode.biases[: options.biases])
    build(diode, options.charge)
    publish(run(diode, base.Solver(1e-20 if options.wide else 1e-10, absolute=1e12)))


if __name__ == "__main__":
    main()
