"""What must be conserved, as the summary has it, beside what a sound run reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ionstack.report.wording import number, split_unit


@dataclass(frozen=True)
class Check:
    """A number that should be small: what it is, its value, the limit, and the verdict."""

    what: str
    value: str
    limit: str
    verdict: str


@dataclass(frozen=True)
class _Rule:
    start: str
    what: str
    limit: float


# Limits as docs/results.md and the README give them.
_RULES = (
    _Rule("conservation.", "particles of {}: largest relative change of the total", 1e-12),
    _Rule("current_sum", "currents of all contacts: largest sum over the largest current", 1e-9),
    _Rule("kirchhoff", "currents at every node of the circuit: largest sum, relative", 1e-6),
    _Rule("equilibrium.spread.", "equilibrium at the start: spread of the potential of {}", 1e-10),
    _Rule("equilibrium.current", "equilibrium at the start: current over the largest one", 1e-9),
    _Rule("heat.closure", "energy: heat made less given off less stored, relative", 1e-9),
    _Rule("lateral_spread.", "lateral spread of {} at one depth of one layer, relative", np.inf),
)


def checks(summary: Mapping[str, Any]) -> list[Check]:
    """Return the checks that the summary has, in the order of the rules."""
    return [check for rule in _RULES for check in _found(rule, summary)]


def _found(rule: _Rule, summary: Mapping[str, Any]) -> Iterator[Check]:
    for key, value in summary.items():
        if key.startswith(rule.start) and isinstance(value, int | float):
            name, unit = split_unit(key[len(rule.start) :])
            shown = number(float(value)) + (f" {unit}" if unit != "1" else "")
            yield Check(rule.what.format(name), shown, _limit(rule), _verdict(rule, value))


def _limit(rule: _Rule) -> str:
    return "none" if rule.limit == np.inf else number(rule.limit)


def _verdict(rule: _Rule, value: float) -> str:
    if rule.limit == np.inf:
        return "for information"
    return "kept" if abs(value) <= rule.limit else "above the usual limit"
