"""A program for ``mpirun``: nuclei under a bump on any number of ranks, as JSON.

``python -m support.nuclei_on_ranks FILE``
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ionstack.compute import configure
from ionstack.geometry.stack import PROFILE, Lateral
from ionstack.models.model import BarrierScatter, ContactModel, NucleationModel, RegionModel
from ionstack.protocols.drive import Interval
from ionstack.randomness.random_events import RandomEvents
from ionstack.randomness.site_scatter import Scatter
from ionstack.reading.curve_choice import read_curve
from ionstack.solving.linear import LinearSolver
from ionstack.solving.network import Network, plain_circuit_of
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.face_nucleation import face_nucleation
from ionstack.stepping.states import StepControl
from ionstack.stepping.stepper import Stepper
from support.films import bound
from support.layers import Device, layer, model, stack

COMM = MPI.COMM_WORLD
LAW = bound("nucleation", "field_power", prefactor=2e18, nucleation_field=2e8, field_exponent=2.0)
RISE = {"formula": "2*exp(-(r/3e-9)**2)", "unit": "nm", "source": "test"}


def device() -> Device:
    """A film of 10 nm below a bump, whose barriers scatter."""
    lateral = Lateral("disc", 1e-7, None, None, 10, 1.0)
    films = stack(layer("film", 1e-8, 5e-10, 1.4), dimension="axisymmetric", lateral=lateral)
    bump = replace(films.top, profile=read_curve(RISE, PROFILE))
    nuclei = NucleationModel(LAW, None, BarrierScatter(1e17, Scatter("normal", 2e-21)))
    top = ContactModel("top", 0.0, {}, nucleation=nuclei)
    made = Device(
        replace(films, top=bump), model((RegionModel("film", 4.0, 0.0, ()),), (), top), comm=COMM
    )
    made.settle()
    return made


class Drive:
    """A ramp and a hold."""

    intervals = (
        Interval(0.1, np.zeros(2), np.array([0.9, 0.0])),
        Interval(0.2, np.array([0.9, 0.0]), np.array([0.9, 0.0])),
    )


def found() -> list[Any]:
    """Time, and place of all events."""
    system = device().system
    sources = tuple(face_nucleation(system, Network(system, plain_circuit_of(system)), 4))
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl())
    stepper = Stepper(
        system, newton, Drive(), StepControl(fixed=0.01), events=RandomEvents(sources, 4)
    )
    return [
        [state.time - (1.0 - event.share) * state.step, *event.place]
        for state in stepper.run()
        for event in state.events
    ]


if __name__ == "__main__":
    configure()
    events = found()
    if COMM.rank == 0:
        Path(sys.argv[1]).write_text(json.dumps(events))
