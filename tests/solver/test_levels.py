"""Which sums of amounts the search of the levels keeps."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ReactionModel, RegionModel
from support.films import bound, species
from support.layers import Device, layer, model, stack

SITES = 1e27
HOP = bound("transport", "sedan", diffusivity=1e-15)
LAW = bound("reaction", "mass_action", rate=1e30)


def device(order, reaction, contents, z=(1, -1)):
    """A film of species in the order that a case file declares them."""
    charges = {"A": z[0], "B": z[1], "AB": sum(z), "C": z[0], "D": z[1]}
    levels = {"AB": -0.05}
    held = [
        species(name, charges[name], "lattice_gas", SITES, HOP, level=levels.get(name, 0.0))
        for name in order
    ]
    left, right = (tuple((name, 1) for name in side.split("+")) for side in reaction.split("="))
    region = RegionModel("film", 10.0, 0.0, tuple(held), (ReactionModel("r", left, right, LAW),))
    return Device(stack(layer("film", 1e-8, 1e-9)), model((region,)), {"film": contents})


@pytest.mark.parametrize("order", ["A B AB", "AB A B", "B AB A"])
@pytest.mark.parametrize("reaction", ["A+B=AB", "AB=A+B"])
def test_a_compound_counts_with_its_parts_in_any_order(order, reaction):
    """Equal contents of both parts: a total of one less the other would vanish."""
    found = device(order.split(), reaction, {"A": 0.1, "B": 0.1, "AB": 0.2})
    conserved = found.settle().conserved
    assert sorted(sorted(group.species for group, _ in one.parts) for one in conserved) == [
        ["A", "AB"],
        ["AB", "B"],
    ]
    fields = NodeFields(found.system).evaluate()
    x = {name: float(fields[f"x {name} [1]"][0]) for name in ("A", "B", "AB")}
    assert x["A"] + x["AB"] == pytest.approx(0.3, rel=1e-12)
    odds = {name: value / (1.0 - value) for name, value in x.items()}
    step = np.exp(-0.05 / found.system.thermal_voltage)
    assert odds["A"] * odds["B"] == pytest.approx(odds["AB"] * step, rel=1e-9)


def test_an_exchange_of_partners_keeps_sums_and_differences():
    """A + B = C + D: of the three totals one may be a difference, which is 0 here."""
    contents = {"A": 0.1, "B": 0.1, "C": 0.3, "D": 0.3}
    found = device("ABCD", "A+B=C+D", contents)
    assert len(found.settle().conserved) == 3
    fields = NodeFields(found.system).evaluate()
    for name in "ABCD":
        np.testing.assert_allclose(fields[f"x {name} [1]"], 0.2, rtol=1e-9)
