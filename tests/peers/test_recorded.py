"""DEVSIM's recorded results: consistent in themselves, and what DEVSIM still says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ionstack.errors import NumericsError
from ionstack.peers import environment
from ionstack.peers.run import run_peer

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "devsim.json").read_text()
)

needs_peers = pytest.mark.skipif(
    not environment.folder().is_dir(), reason=f"no other codes here: {environment.COMMAND}"
)


@pytest.mark.parametrize("name", [name for name in RECORDED if name.startswith("diode")])
def test_currents_of_both_contacts_agree(name: str) -> None:
    values = RECORDED[name]["values"]
    cathode = values["current_cathode"]
    high = {bias: i for bias, i in values["current_anode"].items() if float(bias) > 0.45}
    assert high == pytest.approx({bias: -cathode[bias] for bias in high}, rel=1e-9)


@needs_peers
def test_devsim_repeats_the_diode_currents() -> None:
    report = run_peer("devsim_diode", timeout=120.0)
    recorded = RECORDED["diode_1d"]["values"]["current_anode"]
    # The record has 128-bit numbers; with 64 bits small currents cancel.
    for bias, current in report["values"]["current_anode"].items():
        if float(bias) > 0.45:
            assert current == pytest.approx(recorded[bias], rel=1e-6)
    assert report["newton_steps"] > 100
    assert report["peak_mb"] > 1.0


@needs_peers
def test_too_long_a_run_is_stopped() -> None:
    with pytest.raises(NumericsError, match="took longer than"):
        run_peer("devsim_diode", timeout=0.2)


@needs_peers
def test_a_failing_program_says_why() -> None:
    with pytest.raises(NumericsError, match=r"failed:\n(.|\n)*unrecognized arguments"):
        run_peer("devsim_diode", ["--nonsense"])
