"""Mistakes in files and arguments of ``ionstack measure``, and what is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ionstack.cli import main


@dataclass(frozen=True)
class Mistake:
    name: str
    arguments: Callable[[Path], list[str]]
    answer: tuple[str, ...]


def _on(text: str, *arguments: str, name: str = "data.csv") -> Callable[[Path], list[str]]:
    def prepare(folder: Path) -> list[str]:
        (folder / name).write_text(text)
        return [str(folder / "data.csv"), *arguments]

    return prepare


IV = "V_G [V],I_D [uA]\n0,0\n1,2\n0,0\n"
MISTAKES = [
    Mistake(
        "unknown kind", _on(IV, "--kind", "i-v"), ("'i-v'", "allowed: iv", "did you mean 'iv'?")
    ),
    Mistake(
        "missing file", _on(IV, "--kind", "iv", name="date.csv"), ("did you mean 'date.csv'?",)
    ),
    Mistake(
        "no number",
        _on(IV.replace("1,2", "1,x"), "--kind", "iv"),
        ("data.csv:3: column 2 'I_D [uA]': 'x' is not a number",),
    ),
    Mistake(
        "no such column",
        _on(IV, "--kind", "iv", "--columns", "voltage=V_g:V"),
        ("no column 'V_g'", "'V_G [V]', 'I_D [uA]'", "did you mean 'V_G'?"),
    ),
    Mistake(
        "unknown role",
        _on(IV, "--kind", "iv", "--columns", "volt=V_G:V"),
        ("unknown column 'volt'", "allowed: voltage, current", "did you mean 'voltage'?"),
    ),
    Mistake(
        "role twice",
        _on(IV, "--kind", "iv", "--columns", "voltage=V_G:V,voltage=I_D:V"),
        ("voltage is given twice",),
    ),
    Mistake(
        "column without equals sign",
        _on(IV, "--kind", "iv", "--columns", "V_G"),
        ("'V_G'", "voltage=V_G:V"),
    ),
    Mistake(
        "no unit",
        _on("voltage,current\n0,0\n1,2\n", "--kind", "iv"),
        ("column 1 'voltage' (voltage) needs a unit", "--columns voltage=voltage:V"),
    ),
    Mistake(
        "wrong dimension",
        _on(IV, "--kind", "iv", "--columns", "voltage=V_G:s"),
        ("column 1 'V_G [V]' (voltage)", "is not a quantity in V"),
    ),
    Mistake(
        "current density",
        _on("V [V],I [A/cm2]\n0,0\n1,2\n", "--kind", "iv"),
        ("column 2 'I [A/cm2]' (current)", "is not a quantity in A"),
    ),
    Mistake(
        "missing column",
        _on("V_G [V],n\n0,0\n1,2\n", "--kind", "iv"),
        ("no column found for current [A]", "'V_G [V]', 'n'", "--columns 'current=n:A'"),
    ),
    Mistake(
        "missing alternatives",
        _on("x,y\n0,0\n1,2\n", "--kind", "ltp"),
        ("conductance [S] or resistance [ohm] or current [A]",),
    ),
    Mistake(
        "time runs back",
        _on("t [s],V [V],I [A]\n0,0,1\n2,0,1\n1,0,1\n", "--kind", "gcd"),
        ("data.csv:4: column 1 't [s]' (time)", "has to increase, but 1 follows 2"),
    ),
    Mistake(
        "negative resistance",
        _on("t [s],R [ohm]\n1,5\n2,-5\n", "--kind", "retention"),
        ("data.csv:3: column 2 'R [ohm]' (resistance)", "greater than 0, not -5"),
    ),
    Mistake(
        "too few values",
        _on("t [s],R [ohm]\n1,5\n2,5\n", "--kind", "retention"),
        ("data.csv: time: needs at least 4 values, has 2",),
    ),
    Mistake(
        "unknown setting",
        _on(IV, "--kind", "iv", "--set", "read_volt=1V"),
        ("unknown setting 'read_volt'", "read_voltage, compliance", "did you mean 'read_voltage'?"),
    ),
    Mistake(
        "setting without unit",
        _on(IV, "--kind", "iv", "--set", "read_voltage=1"),
        ("--set read_voltage", "needs a unit", "'1 V'"),
    ),
    Mistake(
        "compliance of zero",
        _on(IV, "--kind", "iv", "--set", "compliance=0 A"),
        ("data.csv: compliance: has to be greater than 0",),
    ),
    Mistake(
        "no sweep",
        _on("V [V],I [A]\n0,0\n0,0\n", "--kind", "iv"),
        ("data.csv: no sweep found",),
    ),
    Mistake(
        "no discharge",
        _on("t [s],V [V],I [A]\n0,0,1\n1,1,1\n2,2,1\n", "--kind", "gcd"),
        ("data.csv: no discharge found",),
    ),
    Mistake(
        "decay without baseline",
        _on("t [s],G [S]\n0,2\n1,1\n", "--kind", "decay"),
        ("--set baseline=1uS",),
    ),
    Mistake(
        "half a pattern of pulses",
        _on("G [S]\n1\n2\n3\n4\n", "--kind", "ltp", "--set", "pulses_up=3"),
        ("pulses_up and pulses_down: give both",),
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_answered(
    mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["measure", *mistake.arguments(tmp_path), "-o", str(tmp_path / "out")]
    status = main(arguments)
    printed = capsys.readouterr()
    assert status == 2, printed.err
    assert "Traceback" not in printed.err
    for part in mistake.answer:
        assert part in printed.err, f"{part!r} is not in: {printed.err}"
