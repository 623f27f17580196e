"""Runs of this and other codes in turn, and what their medians say against a target."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

from ionstack.errors import IonstackError
from ionstack.peers.run import run_peer

# A quantity must be real for both codes: smaller values are left out of comparisons.
_SHARE = 1e-6
OWN = "ionstack"


@dataclass(frozen=True)
class Run:
    """Numbers of one run: what was measured, and physical results by bias or time."""

    numbers: Mapping[str, float]
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """Another code on the same problem; `series` are the values that are compared.

    `error` gives the largest error of these values where exact ones are known.
    """

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    series: str = "current_anode"
    threads: int = 1
    scale: float = 1.0  # of its values, to the units here
    error: Callable[[Mapping[str, float]], float] | None = None

    def run(self) -> Run:
        """Run the code once."""
        report = run_peer(self.script, self.arguments, self.threads)
        steps = report["newton_steps"]
        numbers = {"seconds": report["seconds_total"], "memory": report["peak_mb"]}
        if steps:
            numbers["step"] = report["seconds_total"] / steps
        values = {key: self.scale * one for key, one in report["values"][self.series].items()}
        if self.error:
            numbers["error"] = self.error(values)
        return Run(numbers, values)


@dataclass(frozen=True)
class Quantity:
    """A number of the runs with its target.

    `target` bounds the ratio to the peer's number (`peer_key`, by default the same one), or
    the number itself where there is no peer. The peer may be a number of the own run.
    """

    name: str
    key: str
    unit: str
    target: float | None = None
    peer: str | None = None
    peer_key: str | None = None
    scale: float = 1.0


@dataclass(frozen=True)
class Result:
    """A row of the table; spreads are largest less smallest over the median."""

    name: str
    value: float | None
    unit: str
    spread: float | None
    peer: str | None
    peer_value: float | None
    peer_spread: float | None
    ratio: float | None
    target: float | None
    target_of: Literal["ratio", "value"] | None
    met: bool | None
    deviation: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of the JSON file."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """A benchmark: `prepare(quick)` sets up and returns what is timed."""

    name: str
    prepare: Callable[[bool], Callable[[], Run]]
    quantities: tuple[Quantity, ...]
    peers: tuple[Peer, ...] = ()
    repeats: int | None = None  # most, for rows that take long


Runs = dict[str, list[Run]]


def measure(row: Row, repeats: int, peers: bool, quick: bool = False) -> list[Result]:
    """Run all codes of a row in turn and return its results."""
    work = row.prepare(quick)
    work()
    runs: Runs = {OWN: []}
    present = list(row.peers) if peers else []
    for _ in range(min(repeats, row.repeats or repeats)):
        runs[OWN].append(work())
        present = [peer for peer in present if _add(peer, runs)]
    return [_result(row, one, runs) for one in row.quantities]


def _add(peer: Peer, runs: Runs) -> bool:
    """Run another code; whether it is worth another try."""
    try:
        runs.setdefault(peer.name, []).append(peer.run())
    except IonstackError as error:
        print(f"{peer.name}: {error}", file=sys.stderr)
        return False
    return True


def _result(row: Row, wanted: Quantity, runs: Runs) -> Result:
    own = _numbers(runs, OWN, wanted.key, wanted.scale)
    key = wanted.peer_key or wanted.key
    # A peer without runs of its own was measured within ours.
    outside = any(peer.name == wanted.peer for peer in row.peers)
    source = str(wanted.peer) if outside else OWN
    other = _numbers(runs, source, key, wanted.scale) if wanted.peer else []
    value, peer_value = _median(own), _median(other)
    ratio = value / peer_value if value is not None and peer_value else None
    judged = ratio if wanted.peer else value
    return Result(
        name=f"{row.name}/{wanted.name}",
        value=value,
        unit=wanted.unit,
        spread=_spread(own),
        peer=wanted.peer,
        peer_value=peer_value,
        peer_spread=_spread(other),
        ratio=ratio,
        target=wanted.target,
        target_of=None if wanted.target is None else "ratio" if wanted.peer else "value",
        met=None if judged is None or wanted.target is None else judged <= wanted.target,
        deviation=_deviation(runs, wanted.peer) if outside else None,
    )


def _numbers(runs: Runs, source: str, key: str, scale: float) -> list[float]:
    return [scale * run.numbers[key] for run in runs.get(source, []) if key in run.numbers]


def _median(numbers: Sequence[float]) -> float | None:
    return float(median(numbers)) if numbers else None


def _spread(numbers: Sequence[float]) -> float | None:
    middle = _median(numbers)
    return (max(numbers) - min(numbers)) / middle if middle else None


def _deviation(runs: Runs, peer: str | None) -> float | None:
    """Largest difference of the physical values, relative to the largest of them."""
    others = runs.get(str(peer), [])
    return deviation(runs[OWN][-1].values, others[-1].values) if others else None


def deviation(own: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """Largest relative difference of values that both codes have and that are not tiny."""
    floor = _SHARE * max((abs(one) for one in other.values()), default=0.0)
    pairs = [(own[key], one) for key, one in other.items() if key in own and abs(one) > floor]
    return max((abs(mine / one - 1.0) for mine, one in pairs), default=None)
