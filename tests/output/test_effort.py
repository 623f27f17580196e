"""What a run says of where it was hard."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from ionstack.observing.effort import FEW, Effort
from ionstack.stepping.states import State

NONE = np.zeros(0)
EASY = State(1.0, 0.1, np.array([0.5, 0.0]), NONE, NONE, NONE, 3, 0, False, NONE, NONE, NONE, NONE)


def test_a_stretch_with_many_rejected_steps_is_told_with_its_smallest_step():
    said: list[str] = []
    before = Effort(("top", "bottom"), said.append)
    before.see(replace(EASY, time=2.0, step=1e-9, rejected=FEW))
    # Also by a run that was resumed in between.
    effort = Effort(("top", "bottom"), said.append)
    effort.recall(json.loads(json.dumps(before.memory())))
    effort.see(replace(EASY, time=3.0, step=1e-6, rejected=1))
    effort.see(replace(EASY, time=4.0, step=1e-12, at_breakpoint=True))
    assert said == [
        f"hard from 0 to 4 s: {FEW + 1} steps rejected, the smallest taken 1e-09 s "
        "at t = 2 s (top 0.5 V, bottom 0 V)"
    ]
    effort.see(replace(EASY, time=5.0, rejected=FEW, at_breakpoint=True))
    assert len(said) == 1
