"""The section `instruments` of a case file: ``auto``, ``none`` or a list of instruments."""

from __future__ import annotations

import functools
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainValidator, create_model

from ionstack.casefile.analysis_schema import AnalysisModel
from ionstack.instruments.catalogue import AUTO, INSTRUMENTS, Request
from ionstack.physics.bounds import ANY, NOT_NEGATIVE, POSITIVE, Bounds
from ionstack.reading.schema import Strict, failure, failure_at, not_among, quantity
from ionstack.surface_analysis.order import KINDS as ANALYSES

_KINDS = (AUTO, *INSTRUMENTS, *ANALYSES)
_BOUNDS = {"read_voltage": Bounds(not_zero=True), "baseline": ANY, "noise_floor": NOT_NEGATIVE}


def _read_list(data: object) -> object:
    """Turn the words for all and for no instruments into lists."""
    if not isinstance(data, str):
        return data
    if data not in (AUTO, "none"):
        message = not_among("choice", data, [AUTO, "none"])
        raise failure("instruments", f"{message}, or a list of instruments")
    return [{"kind": AUTO}] if data == AUTO else []


def _read_entry(data: object) -> Request | AnalysisModel:
    """Read one instrument; a bare word is its kind."""
    if isinstance(data, Request | AnalysisModel):
        return data
    entry = {"kind": data} if isinstance(data, str) else data
    if not isinstance(entry, dict):
        raise failure("instrument", f"expected 'kind:' and its settings, found {data!r}")
    kind = entry.get("kind")
    if kind is None:
        raise failure_at("kind", "instrument", f"missing; allowed: {', '.join(_KINDS)}", data)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise failure_at("kind", "instrument", not_among("instrument", str(kind), _KINDS), kind)
    if kind in ANALYSES:
        return AnalysisModel.model_validate(entry)
    given = _model(kind).model_validate(entry).model_dump(exclude_none=True)
    words = {name: given.pop(name) for name in ("kind", "contact") if name in given}
    return Request(steps=given.pop("step", ()), settings=given, **words)


@functools.cache
def _model(kind: str) -> type[BaseModel]:
    fields: dict[str, Any] = {"kind": (str, ...)}
    if kind != AUTO:
        fields["step"] = (Annotated[tuple[str | int, ...], PlainValidator(_read_steps)], ())
        fields["contact"] = (str | None, None)
        for name, unit in INSTRUMENTS[kind].settings.items():
            reader = quantity(unit, _BOUNDS.get(name, POSITIVE))
            fields[name] = (Annotated[float | None, reader], None)
    return create_model(f"instrument_{kind}", __base__=Strict, **fields)


def _read_steps(data: object) -> tuple[str | int, ...]:
    entries = tuple(data) if isinstance(data, list | tuple) else (data,)
    wrong = [one for one in entries if isinstance(one, bool) or not isinstance(one, str | int)]
    if wrong or not entries:
        message = "expected the name or number of a step, or a list of them"
        raise failure("step", f"{message}, found {data!r}")
    return entries


Instruments = Annotated[
    list[Annotated[Request | AnalysisModel, PlainValidator(_read_entry)]],
    BeforeValidator(_read_list),
]


def automatic() -> list[Request | AnalysisModel]:
    """Return what a case asks for that says nothing of instruments."""
    return [Request(AUTO)]
