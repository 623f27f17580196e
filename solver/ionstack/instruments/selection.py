"""Which steps an instrument looks at, and how its results are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ionstack.instruments.catalogue import AUTO, INSTRUMENTS, InstrumentKind, Request
from ionstack.output.steps import StepRow

# Views that one entry of a case makes at most: nobody reads a thousand figures.
MOST = 20


@dataclass(frozen=True)
class View:
    """One curve to be made: an instrument, the steps it shows, and its name.

    `steps` are empty where no step of the run fits. `number` counts from 1 the views that
    its entry of the case asks for.
    """

    name: str
    kind: InstrumentKind
    request: Request
    steps: tuple[StepRow, ...]
    number: int = 1

    @property
    def contact(self) -> str:
        """Whose current is taken: the contact asked for, or that of the steps."""
        return self.request.contact or self.steps[0].contact

    @property
    def delay(self) -> float:
        """Time [s] after the start of a step that is left out."""
        return self.request.settings.get("delay", 0.0)


def views(
    requests: Iterable[Request], steps: Sequence[StepRow], *, with_reads: bool = True
) -> tuple[View, ...]:
    """Return what is to be made of a run, every view with a name of its own.

    Without reads the protocol does not call for `ltp`.
    """
    found: list[View] = []
    for request, kinds in _expanded(requests, steps, () if with_reads else ("ltp",)):
        found += _views_of(request, [step for step in steps if step.kind in kinds])
    return tuple(_named(found))


def _expanded(
    requests: Iterable[Request], steps: Sequence[StepRow], without: Collection[str]
) -> Iterator[tuple[Request, tuple[str, ...]]]:
    """Yield requests with the kinds of steps they take; ``auto`` is what these call for."""
    for request in requests:
        if request.kind != AUTO:
            yield request, INSTRUMENTS[request.kind].fits
            continue
        for kind in INSTRUMENTS.values():
            called = any(step.kind in kind.automatic for step in steps)
            if called and kind.name not in without:
                yield Request(kind.name), kind.automatic


def _views_of(request: Request, steps: Sequence[StepRow]) -> list[View]:
    kind = INSTRUMENTS[request.kind]
    chosen = [step for step in steps if _asked(request, step)]
    if not chosen:
        return [View(kind.name, kind, request, ())]
    if not kind.together:
        return [View(kind.name, kind, request, (one,), n) for n, one in enumerate(chosen, start=1)]
    # Sweeps of one contact do not continue those of another, nor do trains pairs.
    ordered = sorted(chosen, key=_sort)
    return [View(kind.name, kind, request, tuple(one)) for _, one in groupby(ordered, _sort)]


def _sort(step: StepRow) -> tuple[str, str]:
    return step.contact, step.kind


def _asked(request: Request, step: StepRow) -> bool:
    return not request.steps or step.name in request.steps or step.step in request.steps


def _named(found: Sequence[View]) -> Iterator[View]:
    """Name views by their kind; of several of a kind, by what tells them apart."""
    taken: set[str] = set()
    for view in found:
        same = [one for one in found if one.kind is view.kind]
        label = "" if len(same) == 1 else _label(view, same)
        # Not pulses_pulses beside pulses_pairs.
        name = "_".join(dict.fromkeys(filter(None, (view.kind.name, label))))
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}_{number}", number + 1
        taken.add(unique)
        yield replace(view, name=unique)


def _label(view: View, same: Sequence[View]) -> str:
    """Return a word for a view: its step, or what differs among those of its request."""
    if not view.steps:
        return "none"
    first = view.steps[0]
    siblings = [one for one in same if one.request is view.request and one.steps]
    if view.kind.together and len(siblings) > 1:
        differ = len({one.steps[0].contact for one in siblings}) > 1
        word = first.contact if differ else first.kind
    else:
        word = first.name or f"step{first.step}"
    return re.sub(r"[^\w+-]", "_", word)
