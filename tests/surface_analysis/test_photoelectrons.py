"""XPS: attenuation against its integral, closure, valences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.output.counts import read_counts
from ionstack.surface_analysis.order import Order
from ionstack.surface_analysis.photoelectrons import atomic_fractions, attenuated, guest_content
from ionstack.surface_analysis.run import run_sims
from ionstack.surface_analysis.setup import load_setup

NM = 1e-9


def test_a_layer_below_others_is_seen_through_them() -> None:
    """Below d of an overlayer exp(-d/L) is left; what is uniform is seen as it is."""
    step, length = 0.1 * NM, 2.5 * NM
    middles = (np.arange(400) + 0.5) * step
    layer = (middles > 10 * NM).astype(np.float64)
    seen = attenuated(np.stack([layer, np.ones(400)]), length, step)
    depths = np.arange(400) * step
    exact = np.where(depths < 10 * NM, np.exp(-(10 * NM - depths) / length), 1.0)
    assert seen[0] == pytest.approx(exact, rel=1e-9)
    assert seen[1] == pytest.approx(np.ones(400), rel=1e-12)


def test_carbon_falls_when_oxygen_and_indium_rise_alone() -> None:
    """Closure: nothing of the carbon has left."""
    sensitivities = {"C": 1.0, "O": 2.93, "In": 22.5}
    before = {"C": np.array([500.0]), "O": np.array([29.3]), "In": np.array([0.0])}
    after = {**before, "O": np.array([58.6]), "In": np.array([225.0])}
    shares = [atomic_fractions(one, sensitivities, 0.0) for one in (before, after)]
    for one in shares:
        assert sum(one.values())[0] == pytest.approx(1.0, abs=1e-15)
    assert shares[1]["C"][0] == pytest.approx(500.0 / 530.0)
    assert shares[1]["C"][0] < shares[0]["C"][0]


def test_magnesium_in_tungsten_oxide_from_its_valences() -> None:
    assert guest_content({6: 1.0, 5: 0.5, 4: 0.06}, host=6, charge=2) == pytest.approx(
        0.199, abs=5e-4
    )


def test_a_run_has_a_composition_that_sums_to_one(disc: Path) -> None:
    run_sims(disc, load_setup("xps_al_ka"), Order(without=("counting",), figures=False))
    found = {one.state: one for one in read_counts(disc / "sims/xps_composition.csv")}
    start, after = found["start"], found["most negative"]
    assert start.unit == "1"
    # No aluminium, not even by round-off.
    assert not any(name.startswith("Al") for name in start.counts)
    assert sum(start.counts.values()) == pytest.approx(np.ones(len(start.depth)), abs=1e-8)
    middle = int(np.searchsorted(start.depth, 80 * NM))
    oxygen = start.counts["O 1s oxide"][middle]
    tungsten = sum(start.counts[f"W 4f {charge}+"][middle] for charge in (6, 5, 4))
    assert oxygen + start.counts["Li 1s"][middle] + tungsten == pytest.approx(1.0, abs=1e-3)
    assert oxygen / tungsten == pytest.approx(3.0, rel=2e-3)
    # Lithium that comes into WO3 reduces it.
    assert after.counts["W 4f 5+"][middle] > start.counts["W 4f 5+"][middle]


def lines(**atoms: float) -> dict[str, float]:
    """Atoms seen by the lines of the shipped setup, for a mixture of atoms in 1e28 per m^3."""
    setup = load_setup("xps_al_ka")
    mixture = {name: np.array([1e28 * atoms.get(name, 0.0)]) for name in setup.atoms}
    mixture["total"] = np.asarray(sum(mixture.values()))
    return {name: float(setup.signal(name, mixture)[0]) / 1e28 for name in setup.given.signals}


def test_valences_of_tungsten_are_those_published_for_magnesium() -> None:
    """W6+ : W5+ : W4+ = 1 : 0.5 : 0.06 at 0.199 Mg per W (row S3-18), and nothing is lost."""
    found = lines(W=1.56, O=4.68, Mg=0.199 * 1.56)
    six, five, four = (found[f"W 4f {charge}+"] for charge in (6, 5, 4))
    assert five / six == pytest.approx(0.5, abs=0.01)
    assert four / six == pytest.approx(0.06, abs=0.003)
    assert six + five + four == pytest.approx(1.56, rel=1e-9)
    assert guest_content({6: six, 5: five, 4: four}, host=6, charge=2) == pytest.approx(0.199)
    assert lines(W=1.0, Li=3.0)["W 4f 4+"] == pytest.approx(1.0, rel=1e-7)
    assert lines(W=1.0, Li=2.9, P=1.0)["W 4f 6+"] == pytest.approx(1.0, rel=1e-7)


def test_components_of_a_line_are_the_whole_line() -> None:
    """Oxygen of oxides, bridging or not in LiPON; aluminium of the metal and of its oxide."""
    lipon = lines(Li=3.0, P=1.25, O=4.36, N=0.37)
    assert lipon["O 1s non-bridging"] == pytest.approx(3.0)
    assert lipon["O 1s bridging"] == pytest.approx(1.36)
    assert lines(Li=3.6, P=1.25, O=4.36)["O 1s non-bridging"] == pytest.approx(3.6)
    mixed = lines(Li=1.0, P=0.5, O=4.0, Al=1.0, W=0.7)
    oxygen = ("O 1s oxide", "O 1s bridging", "O 1s non-bridging")
    assert sum(mixed[name] for name in oxygen) == pytest.approx(4.0)
    sub = lines(Al=6.0, O=1.5)
    assert (sub["Al 2p oxide"], sub["Al 2p metal"]) == pytest.approx((1.0, 5.0))
    assert lines(Al=3.66, O=5.49)["Al 2p metal"] == pytest.approx(0.0, abs=1e-9)
