"""What the width of a gap between metals follows from. It knows no mesh and no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ionstack.casefile.case import Case
from ionstack.circuits.circuit import contact_of
from ionstack.models.model import Model, RegionModel


@dataclass(frozen=True)
class GapLayer:
    """A layer through which electrons tunnel where the content of `metal` is below `content`.

    `barrier` [eV] and `mass`, over that of an electron, are those of tunnelling.
    """

    metal: str
    content: float
    barrier: float
    mass: float


@dataclass(frozen=True)
class GapModel:
    """Layers with gaps by name, other layers are metal; the contacts on both sides of the gap.

    `copies` of a device have contacts of their own. `tolerance` bounds the change of the exponent
    of tunnelling in the last round of a step.
    """

    layers: Mapping[str, GapLayer]
    between: tuple[str, str]
    tolerance: float = 1e-3
    copies: tuple[str, ...] = ("",)

    @property
    def sides(self) -> dict[str, int]:
        """Contacts of all copies, 0 on the first side of the gap and 1 on the second."""
        return {
            contact_of(copy, name): side
            for copy in self.copies
            for side, name in enumerate(self.between)
        }


def build_gap_model(case: Case, model: Model) -> GapModel | None:
    """Bind what a case says of gaps; None where no law of its layers tunnels."""
    found = {region.name: _layer(region) for region in model.regions}
    layers = {name: one for name, one in found.items() if one is not None}
    if not layers:
        return None
    first, second = case.stack.electrodes
    return GapModel(
        layers, (first.name, second.name), case.numerics.gap_tolerance, case.circuit.copies
    )


def _layer(region: RegionModel) -> GapLayer | None:
    for one in region.species:
        law = one.transport
        if law.law.tunnels and law.couples is not None:
            numbers = {name: number.value for name, number in law.numbers.items()}
            return GapLayer(
                law.couples,
                numbers["metallic_content"],
                numbers["barrier_height"],
                numbers["effective_mass"],
            )
    return None
