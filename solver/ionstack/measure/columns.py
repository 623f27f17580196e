"""Which column of a table plays which role, and its values in SI units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ionstack.errors import InputError, nearest
from ionstack.measure.table import Column, Table, conversion
from ionstack.metrics.arrays import FloatArray
from ionstack.metrics.loops import device_curve
from ionstack.output.trace import CYCLE, STEP, TIME, contacts_in

# The unit is kept as the file has it.
ANY = "any"


@dataclass(frozen=True)
class Role:
    """What a column can be: unit inside, usual headers (compared by letters and digits)."""

    unit: str
    headers: tuple[str, ...]
    increasing: bool = False
    positive: bool = False


ROLES: dict[str, Role] = {
    "time": Role("s", ("t", "elapsedtime", "timestamp", "testtime"), increasing=True),
    "voltage": Role("V", ("v", "u", "e", "ewe", "potential", "bias", "vg", "vd", "vapplied")),
    "current": Role("A", ("i", "id", "ig", "idrain", "channelcurrent")),
    "conductance": Role("S", ("g",), positive=True),
    "resistance": Role("ohm", ("r",), positive=True),
    "direction": Role("1", ("polarity", "sign", "updown")),
    "cycle": Role("1", ("cyclenumber", "cycleindex", "sweep", "loop", "nr")),
    "width": Role("s", ("pulsewidth",), positive=True),
    "amplitude": Role("V", ("pulsevoltage",)),
    "charge": Role("C", ("q",)),
    "energy": Role("J", ()),
    "interval": Role("s", ("dt", "deltat", "δt", "pulseinterval"), positive=True),
    "first": Role("A", ("i1", "a1", "firstpulse")),
    "second": Role("A", ("i2", "a2", "secondpulse")),
    "tenth": Role("A", ("i10", "a10", "tenthpulse")),
    "last": Role("A", ("in", "i20", "an", "lastpulse")),
    "frequency": Role("Hz", ("f", "freq"), positive=True),
    "real": Role("ohm", ("zreal", "rez", "re", "z'", "zre", "z1")),
    "imag": Role("ohm", ("zimag", "imz", "im", "z''", "zim", "z2")),
    "negative_imag": Role("ohm", ("-zimag", "-imz", "-im", "-z''", "-zim")),
    "magnitude": Role("ohm", ("|z|", "zmod", "zabs", "modz", "impedance"), positive=True),
    "phase": Role("deg", ("phasez", "theta", "phi", "zphz")),
    "rate": Role("V/s", ("scanrate", "sweeprate"), positive=True),
    "temperature": Role("K", ("temp",), positive=True),
    "value": Role(ANY, ()),
}


@dataclass(frozen=True)
class Choice:
    """A column named by the user: its header or number from 1, and a unit that overrules."""

    column: str
    unit: str | None


@dataclass(frozen=True)
class Columns:
    """Values by role, SI unless the role takes any unit; `units`, `headers` by role."""

    values: dict[str, FloatArray]
    units: dict[str, str]
    headers: dict[str, str]


def parse_choices(texts: Sequence[str], allowed: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return (header, whole text after =) by role of arguments ``role=header[:unit],…``.

    A comma ends a choice only before the next ``role=``, so headers may hold commas.
    """
    found: dict[str, tuple[str, str]] = {}
    for text in texts:
        for part in re.split(r",(?=\s*\w+\s*=)", text):
            role, equals, column = part.partition("=")
            role = role.strip()
            if not equals or not column.strip():
                raise InputError(f"--columns {part!r}: write it like voltage=V_G:V")
            if role not in allowed:
                raise InputError(
                    f"--columns: unknown column {role!r}; allowed: {', '.join(allowed)}"
                    + nearest(role, allowed)
                )
            if role in found:
                raise InputError(f"--columns: {role} is given twice")
            found[role] = (column.strip().strip('"'), part.strip())
    return found


def select(
    table: Table,
    alternatives: Sequence[Sequence[str]],
    optional: Sequence[str],
    chosen: Mapping[str, tuple[str, str]],
) -> Columns:
    """Return the columns of the first alternative that the table can fill.

    Columns named by the user come first, then those whose header is the role's name or a
    usual one, then the only column of the right dimension. Raises InputError that says
    what is missing and which columns there are.
    """
    if not chosen and _is_trace(table):
        return _from_trace(table, alternatives, optional)
    given = {role: _find(table, role, text) for role, (text, _) in chosen.items()}
    ranked = sorted(alternatives, key=lambda roles: -sum(role in given for role in roles))
    for by_unit in (False, True):
        for roles in ranked:
            places = _fill(table, roles, optional, given, by_unit=by_unit)
            if all(role in places for role in roles):
                return _converted(table, places)
    raise InputError(_missing(table, ranked, _fill(table, ranked[0], optional, given)))


def _fill(
    table: Table,
    roles: Sequence[str],
    optional: Sequence[str],
    given: Mapping[str, tuple[int, str | None]],
    *,
    by_unit: bool = False,
) -> dict[str, tuple[int, str | None]]:
    """Return (column, overruling unit) by role, as far as columns are found."""
    places = {role: given[role] for role in (*roles, *optional) if role in given}
    for role in (*roles, *optional):
        taken = {index for index, _ in places.values()}
        if role not in places and (k := _by_name(table, role, taken)) is not None:
            places[role] = (k, None)
    for role in roles if by_unit else ():
        taken = {index for index, _ in places.values()}
        if role not in places and (k := _by_unit(table, role, taken)) is not None:
            places[role] = (k, None)
    return places


def _plain(header: str) -> str:
    return re.sub(r"[^a-z0-9δ|'\-]", "", header.lower().replace("″", "''").replace("′", "'"))


def _by_name(table: Table, role: str, taken: set[int]) -> int | None:
    names = (_plain(role), *ROLES[role].headers)
    for name in names:
        for k, column in enumerate(table.columns):
            if k not in taken and _plain(column.name) == name:
                return k
    return None


def _by_unit(table: Table, role: str, taken: set[int]) -> int | None:
    """Return the only column left of the role's dimension."""
    unit = ROLES[role].unit
    free = [k for k in range(len(table.columns)) if k not in taken]
    if unit == ANY:
        return free[0] if len(free) == 1 else None
    fitting = [k for k in free if unit != "1" and _fits(table.columns[k], unit)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(column: Column, unit: str) -> bool:
    try:
        conversion(column.unit or "1", unit)
    except ValueError:
        return False
    return True


def _find(table: Table, role: str, text: str) -> tuple[int, str | None]:
    """Return the column that the user means, by header, name or number, and its unit."""
    head, colon, unit = text.rpartition(":")
    for wanted, overrule in ((text, None), (head.strip().strip('"'), unit.strip())):
        for k, column in enumerate(table.columns):
            if wanted and wanted in (column.header, column.name, str(k + 1)):
                return k, overrule
    names = [column.name for column in table.columns]
    wanted = head if colon else text
    raise InputError(
        f"{table.path}: --columns {role}={text}: no column {wanted!r}; columns: "
        + ", ".join(repr(column.header) for column in table.columns)
        + nearest(wanted, names)
    )


def _converted(table: Table, places: Mapping[str, tuple[int, str | None]]) -> Columns:
    values: dict[str, FloatArray] = {}
    units: dict[str, str] = {}
    for role, (index, overrule) in places.items():
        unit = overrule if overrule is not None else table.columns[index].unit
        values[role], units[role] = _in_role(table, role, index, unit)
        _check_order(table, role, index, values[role])
    headers = {role: table.columns[index].header for role, (index, _) in places.items()}
    return Columns(values, units, headers)


def _in_role(table: Table, role: str, index: int, unit: str | None) -> tuple[FloatArray, str]:
    wanted, header = ROLES[role].unit, table.columns[index].header
    raw = table.numbers(index)
    if wanted == ANY:
        return raw, unit or "1"
    if unit is None and wanted != "1":
        raise InputError(
            f"{table.path}: column {index + 1} {header!r} ({role}) needs a unit: in the header, "
            f"as '{header} [{wanted}]', or as --columns {role}={header}:{wanted}"
        )
    try:
        scale, offset = conversion(unit or "1", wanted)
    except ValueError as error:
        message = f"{table.path}: column {index + 1} {header!r} ({role}): {error}"
        raise InputError(message) from error
    return raw * scale + offset, wanted


def _check_order(table: Table, role: str, index: int, values: FloatArray) -> None:
    """Check what a role asks for, while the line in the file is still known."""
    rule = ROLES[role]
    where = f"column {index + 1} {table.columns[index].header!r} ({role})"
    cells = table.columns[index].cells
    if rule.positive and len(bad := np.flatnonzero(values <= 0.0)):
        k = int(bad[0])
        raise InputError(
            f"{table.path}:{table.lines[k]}: {where}: has to be greater than 0, not {cells[k]}"
        )
    if rule.increasing and len(bad := np.flatnonzero(np.diff(values) <= 0.0)):
        k = int(bad[0]) + 1
        raise InputError(
            f"{table.path}:{table.lines[k]}: {where}: has to increase, but {cells[k]} follows "
            f"{cells[k - 1]}"
        )


def _missing(
    table: Table, alternatives: Sequence[Sequence[str]], places: Mapping[str, object]
) -> str:
    absent = [[role for role in roles if role not in places] for roles in alternatives]
    wanted = " or ".join(
        " and ".join(f"{role} [{ROLES[role].unit}]" for role in roles) for roles in absent
    )
    there = ", ".join(repr(column.header) for column in table.columns)
    role = absent[0][0]
    sample = f"--columns '{role}={table.columns[-1].name}:{ROLES[role].unit}'"
    return f"{table.path}: no column found for {wanted}; columns: {there}; say which, like {sample}"


def _is_trace(table: Table) -> bool:
    headers = {column.header for column in table.columns}
    return {TIME, STEP} <= headers and bool(contacts_in({h: np.empty(0) for h in headers}))


def _from_trace(
    table: Table, alternatives: Sequence[Sequence[str]], optional: Sequence[str]
) -> Columns:
    """Take voltage across and current into the driven contact of a run's own trace."""
    trace = {c.header: table.numbers(k) for k, c in enumerate(table.columns)}
    curve = device_curve(trace)
    values = {"time": trace[TIME], "cycle": trace[CYCLE]}
    values |= {"voltage": curve.voltage, "current": curve.current}
    for roles in alternatives:
        if set(roles) <= set(values):
            wanted = {role: values[role] for role in (*roles, *optional) if role in values}
            units = {role: ROLES[role].unit for role in wanted}
            return Columns(wanted, units, dict.fromkeys(wanted, f"trace, contact {curve.contact}"))
    raise InputError(f"{table.path}: a run's trace has {', '.join(values)}, this kind needs others")
