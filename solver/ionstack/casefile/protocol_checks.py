"""Checks of a case's protocol: do its names fit, and can its limits end its steps?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ionstack.casefile.case_subject import Subject
from ionstack.casefile.circuit_checks import cells, probed, random_events, single_sources, switches
from ionstack.casefile.protocol_schema import StepModel
from ionstack.protocols.drive import Interval, Limit
from ionstack.protocols.laid import Span
from ionstack.protocols.protocol import Protocol
from ionstack.protocols.protocol_steps import ChargeDischarge, Current, Entry, Repeat, Series, Step
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Keys, Problem

# Names of states that every run has by itself.
RESERVED = ("start", "end")
_BY_CURRENT = ("current", "gcd", "open_circuit")


@dataclass(frozen=True)
class _Names:
    """What a protocol may name."""

    what: str
    sources: list[str]
    cells: list[str]
    probed: list[str]
    switches: list[str]
    circuit: bool

    @property
    def drivable(self) -> list[str]:
        """Sources and cells."""
        return self.sources + self.cells


def _names(subject: Subject) -> _Names:
    circuit = subject.case.circuit is not None
    return _Names(
        "source" if circuit else "contact",
        single_sources(subject),
        cells(subject),
        probed(subject),
        switches(subject),
        circuit,
    )


def protocol_names(subject: Subject) -> Iterator[Problem]:
    """Yield names that a protocol uses and that are not there, and those it gives twice."""
    names = _names(subject)
    for keys, step in _parts(subject):
        if step.repeat is None:
            yield from _contact_problems(subject, names, keys, step)
        yield from _switch_problems(subject, names, keys, step)
        yield from _until_problems(subject, names, keys, step)
    yield from _step_names(subject)


def _parts(subject: Subject) -> Iterator[tuple[Keys, StepModel]]:
    for index, step in enumerate(subject.case.protocol):
        yield from step.parts(("protocol", index))


def _contact_problems(
    subject: Subject, names: _Names, at: Keys, step: StepModel
) -> Iterator[Problem]:
    for keys, contact in step.contacts(at):
        if step.impedance is not None:
            if contact not in names.probed:
                yield subject.problem(keys, not_among("contact", contact, names.probed))
        elif contact not in names.drivable:
            yield subject.problem(keys, not_among(names.what, contact, names.drivable))
        elif step.kind() in _BY_CURRENT and contact in names.cells:
            message = f"several sources select {contact}: a current goes into one of "
            yield subject.problem(keys, message + ", ".join(names.sources))


def _switch_problems(
    subject: Subject, names: _Names, at: Keys, step: StepModel
) -> Iterator[Problem]:
    for name in step.switch or ():
        if name not in names.switches:
            message = "there are no switches without a section 'circuit'"
            if names.circuit:
                message = not_among("switch", name, names.switches)
            yield subject.problem((*at, "switch", name), message, of_key=True)


def _until_problems(
    subject: Subject, names: _Names, at: Keys, step: StepModel
) -> Iterator[Problem]:
    if step.until is None:
        return
    for name, bound in step.until.bounds().items():
        if bound.contact is not None and bound.contact not in names.drivable:
            message = not_among(names.what, bound.contact, names.drivable)
            yield subject.problem((*at, "until", name, "contact"), message)
    event, known = step.until.event, random_events(subject)
    if event is not None and event not in known:
        message = not_among("random event", event, known) if known else "nothing here is random"
        yield subject.problem((*at, "until", "event"), message)
    content = step.until.content
    if content is None:
        return
    layers = [layer.name for layer in subject.stack.layers]
    keys = (*at, "until", "content")
    if content.layer not in layers:
        yield subject.problem((*keys, "layer"), not_among("layer", content.layer, layers))
    elif content.species not in subject.held(content.layer):
        held = subject.held(content.layer)
        yield subject.problem((*keys, "species"), not_among("species", content.species, held))


def _step_names(subject: Subject) -> Iterator[Problem]:
    """Names say which step an instrument reads, and which state is kept."""
    first: dict[str, Keys] = {}
    for keys, step in _parts(subject):
        name = step.name
        if name is None:
            continue
        place = (*keys, "name")
        if name in RESERVED:
            message = f"{name!r} is the name of the state at the {name} of every run"
            yield subject.problem(place, message)
        elif name in first:
            used = ".".join(map(str, first[name]))
            yield subject.problem(place, f"duplicate name {name!r}; already used by {used}")
        elif (plain := _numbered(name)) in first:
            message = f"{name!r} is what a repetition of {plain!r} is called"
            yield subject.problem(place, message)
        first.setdefault(name, place)


def timed_steps(subject: Subject) -> list[str]:
    """Return the names of steps that a limit can end."""
    return [one.name for _, one in _parts(subject) if one.name and one.until is not None]


def _numbered(name: str) -> str:
    """Name without its number, ``read`` of ``read-2``; empty if it has none."""
    plain, _, number = name.rpartition("-")
    return plain if number.isdigit() else ""


@dataclass(frozen=True)
class _Course:
    """A protocol that is laid, and which voltages are known before its steps."""

    protocol: Protocol
    equilibrium: bool

    def before(self, number: int, source: str) -> float:
        """Voltage [V] of a source when an interval begins; NaN where it is not known."""
        column = self.protocol.sources.index(source)
        if number == 0:
            return 0.0 if self.equilibrium else np.nan
        last = self.protocol.laid[number - 1]
        by_state = _by_current(last, column) or any(one.following == number for one in last.limits)
        return np.nan if by_state or _complies(last, column) else float(last.end[column])

    def watched(self, span: Span, limit: Limit) -> list[Interval]:
        """Intervals of a step in which a limit is looked at."""
        inside = self.protocol.laid[span.first : span.last]
        return [one for one in inside if any(_same(limit, other) for other in one.limits)]


def _same(one: Limit, other: Limit) -> bool:
    return (one.quantity, one.value, one.above) == (other.quantity, other.value, other.above)


def _by_current(interval: Interval, column: int) -> bool:
    return interval.current is not None and bool(interval.current[column])


def _complies(interval: Interval, column: int) -> bool:
    return _compliance(interval, column) < np.inf


def _compliance(interval: Interval, column: int) -> float:
    """Smallest compliance [A] of a source."""
    given = (interval.positive, interval.negative)
    return min((float(one[column]) for one in given if one is not None), default=np.inf)


def course_problems(subject: Subject, protocol: Protocol) -> Iterator[Problem]:
    """Yield limits that are passed before their step begins, and those never reached in it."""
    at_rest = subject.case.start == "equilibrium" and subject.case.initial is None
    course = _Course(protocol, at_rest)
    steps = zip(_done(subject, protocol), protocol.spans, strict=True)
    for (keys, step, entry), span in steps:
        yield from _cut_offs(subject, course, keys, entry, span)
        limits = step.until.named_limits(entry.contact) if step.until else ()
        for name, limit in limits:
            message = _complaint(course, span, limit) if limit.source else ""
            if message:
                side = "above" if limit.above else "below"
                yield subject.problem((*keys, "until", name, side), message)


_Done = tuple[Keys, StepModel, Entry]


def _done(subject: Subject, protocol: Protocol) -> Iterator[_Done]:
    """Steps as they follow one another, those of a repeat as often as it says."""
    for index, (step, entry) in enumerate(zip(subject.case.protocol, protocol.steps, strict=True)):
        yield from _repeated(("protocol", index), step, entry)


def _repeated(at: Keys, step: StepModel, entry: Entry) -> Iterator[_Done]:
    if step.repeat is None or not isinstance(entry.step, Repeat):
        yield at, step, entry
        return
    for _ in range(step.repeat.times):
        pairs = zip(step.repeat.steps, entry.step.steps, strict=True)
        for index, (inner, one) in enumerate(pairs):
            yield from _repeated((*at, "repeat", "steps", index), inner, one)


def _cut_offs(
    subject: Subject, course: _Course, at: Keys, entry: Entry, span: Span
) -> Iterator[Problem]:
    """A voltage that ends a current, and that is passed before."""
    for key, current, cutoff in _given(entry.step):
        before = course.before(span.first, entry.contact)
        if before >= cutoff if current > 0.0 else before <= cutoff:
            way = "raises" if current > 0.0 else "lowers"
            message = (
                f"on the wrong side: {entry.contact} is at {before:g} V before, and a current "
                f"of {current:g} A {way} it, away from {cutoff:g} V"
            )
            yield subject.problem((*at, entry.kind, key), message)


def _given(step: Step) -> Iterator[tuple[str, float, float]]:
    """Key, current [A] and voltage [V] of the first cut-off of a step with currents."""
    first = step.parts[0] if isinstance(step, Series) else step
    if isinstance(first, Current) and first.cutoff is not None:
        yield "voltage", first.current, first.cutoff
    if isinstance(first, ChargeDischarge):
        yield "high", first.current, first.high


def _complaint(course: _Course, span: Span, limit: Limit) -> str:
    """What is wrong with a limit of a step; empty if it may be reached."""
    protocol, watched = course.protocol, course.watched(span, limit)
    source = protocol.main_source(limit.source)
    column = protocol.sources.index(source)
    if not watched:
        return ""
    if limit.quantity == "current":
        return _too_large(watched, column, limit)
    if limit.quantity != "voltage":
        return ""
    if _by_current(watched[0], column):
        return _passed(course.before(span.first, source), limit)
    return _passed(float(watched[0].begin[column]), limit) or _out_of_reach(watched, column, limit)


def _too_large(watched: Sequence[Interval], column: int, limit: Limit) -> str:
    """A compliance keeps the current below a limit."""
    largest = max(
        max(float(one[column]) for one in (part.positive, part.negative) if one is not None)
        for part in watched
        if part.positive is not None
    )
    if not limit.above or limit.value < largest:
        return ""
    return f"never reached: the compliance holds the current at {largest:g} A"


def _passed(before: float, limit: Limit) -> str:
    passed = before >= limit.value if limit.above else before <= limit.value
    side = "above" if limit.above else "below"
    return f"{limit.source} is at {before:g} V when the step begins, {side} it" if passed else ""


def _out_of_reach(watched: Sequence[Interval], column: int, limit: Limit) -> str:
    """A voltage is given, and compliance can only take from it."""
    ends = [float(end[column]) for one in watched for end in (one.begin, one.end)]
    if any(_complies(one, column) for one in watched):
        ends.append(0.0)
    low, high = min(ends), max(ends)
    if low <= limit.value <= high or np.isnan(low + high):
        return ""
    kept = f"at {low:g} V" if low == high else f"between {low:g} and {high:g} V"
    return f"never reached: the step keeps {limit.source} {kept}"
