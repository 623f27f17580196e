"""Checks of a case's instruments against its protocol: are there steps for them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ionstack.casefile.case_subject import Subject
from ionstack.casefile.circuit_checks import measurable
from ionstack.casefile.protocol_schema import StepModel
from ionstack.instruments.catalogue import AUTO, INSTRUMENTS, Request
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Problem


@dataclass(frozen=True)
class _Step:
    """A step by the number of its entry in the protocol, its name if it has one, its kind."""

    number: int
    name: str
    kind: str


def instrument_problems(subject: Subject) -> Iterator[Problem]:
    """Yield unknown steps and contacts, and steps that an instrument cannot look at."""
    numbered = enumerate(subject.case.protocol, start=1)
    steps = [one for number, step in numbered for one in _steps(number, step)]
    for index, request in enumerate(subject.case.instruments):
        if isinstance(request, Request) and request.kind != AUTO:
            yield from _problems(subject, index, request, steps)


def _steps(number: int, step: StepModel) -> Iterator[_Step]:
    for _, leaf in step.leaves(()):
        yield _Step(number, leaf.name or "", leaf.kind())


def _problems(
    subject: Subject, index: int, request: Request, steps: Sequence[_Step]
) -> Iterator[Problem]:
    at = ("instruments", index)
    terminals = measurable(subject)
    if request.contact is not None and request.contact not in terminals:
        message = not_among("contact", request.contact, terminals)
        yield subject.problem((*at, "contact"), message)
    fits = INSTRUMENTS[request.kind].fits
    wanted = f"{request.kind} looks at steps of the kind {', '.join(fits)}"
    for reference in request.steps:
        chosen = [step for step in steps if reference in (step.name, step.number)]
        if not chosen:
            yield subject.problem((*at, "step"), _unknown(reference, steps))
        elif not any(step.kind in fits for step in chosen):
            message = f"{wanted}; step {reference!r} is {chosen[0].kind}"
            yield subject.problem((*at, "step"), message)
    if not request.steps and not any(step.kind in fits for step in steps):
        yield subject.problem((*at, "kind"), f"{wanted}; the protocol has none")


def _unknown(reference: str | int, steps: Sequence[_Step]) -> str:
    names = [step.name for step in steps if step.name]
    numbers = [str(step.number) for step in steps]
    return not_among("step", str(reference), list(dict.fromkeys([*names, *numbers])))
