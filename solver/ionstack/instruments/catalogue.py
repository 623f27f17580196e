"""Which instruments there are, the steps they look at, and the numbers they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

AUTO = "auto"


@dataclass(frozen=True)
class InstrumentKind:
    """An instrument, named like its kind of `ionstack.measure`.

    `fits`: kinds of steps that it can look at, `automatic`: those that it looks at without
    being asked. `together`: all its steps make one curve; otherwise each has its own.
    `settings`: unit by name of the numbers that a case may give.
    """

    name: str
    fits: tuple[str, ...]
    automatic: tuple[str, ...] = ()
    together: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)


_HOLDS = ("hold", "rest_at")
# Kinds of steps that consist of pulses.
PULSED = ("pulses", "pairs", "trains")
_FILM = {"area": "m^2", "thickness": "m"}

_KINDS = (
    InstrumentKind(
        "iv",
        ("sweep", "cv"),
        ("sweep",),
        settings={"read_voltage": "V", "compliance": "A", "off_current": "A", "noise_floor": "A"},
    ),
    InstrumentKind("variation", ("pulses",), settings={"read_voltage": "V"}),
    InstrumentKind(
        "retention",
        (*_HOLDS, "pulses"),
        together=False,
        settings={"read_voltage": "V", "horizon": "s", "delay": "s"},
    ),
    InstrumentKind(
        "ltp",
        ("pulses",),
        ("pulses",),
        settings={"read_voltage": "V", "pulse_energy": "J", "area": "m^2"},
    ),
    InstrumentKind("ppf", ("pairs", "trains"), ("pairs", "trains")),
    InstrumentKind("srdp", ("trains",), ("trains",)),
    InstrumentKind(
        "epsc", (*_HOLDS, *PULSED), together=False, settings={"baseline": "A", "delay": "s"}
    ),
    InstrumentKind(
        "decay",
        (*_HOLDS, "pulses"),
        together=False,
        settings={"read_voltage": "V", "baseline": "S", "delay": "s"},
    ),
    InstrumentKind("pulses", PULSED, PULSED, settings={"area": "m^2", "change": "S"}),
    InstrumentKind("cv", ("cv", "sweep"), ("cv",), settings={"area": "m^2"}),
    InstrumentKind("gcd", ("gcd", "current"), ("gcd", "current"), settings={"area": "m^2"}),
    InstrumentKind(
        "selfdischarge",
        ("open_circuit",),
        ("open_circuit",),
        together=False,
        settings={"capacitance": "F", **_FILM, "delay": "s"},
    ),
    InstrumentKind("impedance", ("impedance",), ("impedance",), together=False, settings=_FILM),
)
INSTRUMENTS: Mapping[str, InstrumentKind] = MappingProxyType({kind.name: kind for kind in _KINDS})


@dataclass(frozen=True)
class Request:
    """One entry of a case's `instruments`.

    `kind` is a name of `INSTRUMENTS`, or ``auto`` for what the protocol calls for. `steps`
    are names or numbers of steps; none: all that fit. `contact`: whose current is taken, that
    of each step unless given. `settings` in the units of the catalogue.
    """

    kind: str
    steps: tuple[str | int, ...] = ()
    contact: str | None = None
    settings: Mapping[str, float] = field(default_factory=dict)
