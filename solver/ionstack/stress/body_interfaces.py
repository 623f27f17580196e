"""Interfaces of a device that may part: from the case to the joints of a body, and what they do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from mpi4py import MPI

from ionstack.casefile.case import Case
from ionstack.geometry.stack import Layer
from ionstack.mechanics.areas import Cohesive, Debond, Joint
from ionstack.mechanics.body import Body, Trial
from ionstack.physics.cohesion import contact_stiffness, damage, dissipated
from ionstack.reading.solid_schema import SolidChoice


def joints(
    case: Case, outer: Sequence[Layer], solids: Mapping[str, SolidChoice]
) -> tuple[Joint, ...]:
    """Debonds, then cohesive interfaces: where both are named, the layers are apart.

    outer: layers above and below the films.
    """
    read = case.mechanics
    assert read is not None
    thickness = {one.name: one.thickness for one in (*case.stack.layers, *outer)}
    found: list[Joint] = [
        Debond(*one.interface.split("/"), radius=one.radius, between=one.between)
        for one in read.debonds
    ]
    for each in read.cohesive:
        upper, lower = each.interface.split("/")
        contact = contact_stiffness(
            (solids[name].solid().young_modulus, thickness[name]) for name in (upper, lower)
        )
        law = each.law(contact)
        found.append(Cohesive(upper, lower, law, radius=each.radius, between=each.between))
    return tuple(found)


class BodyInterfaces:
    """What the cohesive interfaces of a body have done so far."""

    def __init__(self, case: Case, body: Body) -> None:
        """`case` tells how deep a plane model is."""
        self._body, self._comm = body, body.mesh.mesh.comm
        self._joints = [
            (index, seam.joint)
            for index, seam in enumerate(body.mesh.seams)
            if isinstance(seam.joint, Cohesive)
        ]
        depth = case.stack.lateral.depth if case.stack.dimension == "2d" else None
        around = 2.0 * math.pi if body.mesh.axisymmetric else 1.0
        self._whole = around if depth is None else depth

    @property
    def names(self) -> list[str]:
        """Names of the entries, with units."""
        kinds = (("opening", "m"), ("failed_area", "m^2"), ("separation_work", "J"))
        return [f"{kind}.{one.name} [{unit}]" for _, one in self._joints for kind, unit in kinds]

    def entries(self, trial: Trial) -> Iterator[float]:
        """Largest effective opening now, area without cohesion, work spent (collective)."""
        for index, joint in self._joints:
            assert trial.separation is not None
            assert self._body.forces.interfaces is not None
            part = self._body.forces.interfaces.parts[index]
            area = self._whole * self._body.forces.interfaces.areas[part]
            reached = trial.separation.reached[part]
            most = float(trial.separation.effective[part].max(initial=0.0))
            yield self._comm.allreduce(most, MPI.MAX)
            failed = damage(joint.law, reached) >= 1.0
            yield self._comm.allreduce(float(np.sum(area * failed)))
            yield self._comm.allreduce(float(np.sum(area * dissipated(joint.law, reached))))
