"""Tables as instruments and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.measure.table import Table, conversion, read_table, spelling, split_header


def table_of(tmp_path: Path, text: str | bytes, skip: int = 0) -> Table:
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(path, skip)


@pytest.mark.parametrize(
    "text",
    [
        "V [V],I [A]\n0.5,1e-6\n-1,2e-6\n",
        "V [V]\tI [A]\n0.5\t1e-6\n-1\t2e-6\n",
        "V [V];I [A]\n0,5;1e-6\n-1;2e-6\n",
        "V [V]; I [A]\n0.5; 1e-6\n-1; 2e-6\n",
        "V [V]  I [A]\n0.5   1e-6\n -1   2e-6\n",
        "V [V] I [A] note\n0,5 1e-6 a\n-1 2e-6 b\n",
        "# V [V] I [A]\n0.5 1e-6\n-1 2e-6\n",
        '\ufeff"V [V]","I [A]"\r\n0.5,1e-6\r\n\r\n-1,2e-6\r\n',
        "V,I\n[V],[A]\n0.5,1e-6\n-1,2e-6\n",
        "V;I\nV;A\n0,5;1e-6\n-1;2e-6\n",
        "Instrument 4200\nRun;12;fast\n\nV [V],I [A]\n0.5,1e-6\n-1,2e-6\n",
        "# sample 3\n% note, with comma\n//x\nV [V],I [A]\n0.5,1e-6\n# pause\n-1,2e-6\n",
    ],
    ids=[
        "comma",
        "tab",
        "decimal comma",
        "semicolon",
        "blanks",
        "blanks and a column of text",
        "commented header",
        "byte-order mark, quotes, CRLF",
        "line of units in brackets",
        "line of units",
        "preamble",
        "comments",
    ],
)
def test_the_same_table_in_many_forms(tmp_path: Path, text: str) -> None:
    table = table_of(tmp_path, text)
    assert [column.name for column in table.columns][:2] == ["V", "I"]
    assert [column.unit for column in table.columns][:2] == ["V", "A"]
    np.testing.assert_allclose(table.numbers(0), [0.5, -1.0])
    np.testing.assert_allclose(table.numbers(1), [1e-6, 2e-6])


def test_windows_code_page(tmp_path: Path) -> None:
    table = table_of(tmp_path, "G (µS);T (°C)\n1,5;20\n".encode("cp1252"))
    assert table.columns[0].unit == "µS"
    assert table.numbers(0).tolist() == [1.5]


def test_one_column_and_no_header(tmp_path: Path) -> None:
    assert table_of(tmp_path, "4.1\n4.2\n").numbers(0).tolist() == [4.1, 4.2]
    table = table_of(tmp_path, "1,2\n3,4\n")
    assert [column.name for column in table.columns] == ["column 1", "column 2"]


def test_lines_can_be_skipped_and_keep_their_numbers(tmp_path: Path) -> None:
    text = "1,2\n3,4\nV [V],I [A]\n5,6\n7,x\n"
    table = table_of(tmp_path, text, skip=2)
    assert table.columns[0].name == "V"
    with pytest.raises(InputError, match=r"data.csv:5: column 2 'I \[A\]': 'x' is not a number"):
        table.numbers(1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("V [V],I [A]\n1,2\n3\n", r"data.csv:3: has 1 cells, the first row has 2"),
        ("V [V],I [A]\n1,2\n3,\n", r"data.csv:3: column 2 'I \[A\]': the cell is empty"),
        ("V [V],I [A]\n1,2\n3,nan\n", r"data.csv:3: column 2 'I \[A\]': 'nan' is not a number"),
        ("V [V],I [A]\n1,2\n3,1_0\n", r"data.csv:3: column 2 .*'1_0' is not a number"),
        ("V [V],I [A]\n", "has no row of numbers"),
        ("", "has no row of numbers"),
        (b"\x89PNG\0\0", "is not a text file"),
    ],
)
def test_damaged_tables(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        table_of(tmp_path, text).numbers(1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("voltage [V]", ("voltage", "V")),
        ("I_D (uA)", ("I_D", "uA")),
        ("Ewe/V", ("Ewe", "V")),
        ("<I>/mA", ("<I>", "mA")),
        ("-Im(Z)/Ohm", ("-Im(Z)", "Ohm")),
        ("rate (cm^2/(V s))", ("rate", "cm^2/(V s)")),
        ("current (forward)", ("current (forward)", None)),
        ("on/off", ("on/off", None)),
        ("cycle [1]", ("cycle", "1")),
        ("time", ("time", None)),
    ],
)
def test_headers_hold_name_and_unit(header: str, expected: tuple[str, str | None]) -> None:
    assert split_header(header) == expected


@pytest.mark.parametrize(
    ("unit", "target", "factor"),
    [
        ("Ohm", "ohm", 1.0),
        ("kOhm", "ohm", 1e3),
        ("MΩ", "ohm", 1e6),
        ("cm2", "m^2", 1e-4),
        ("A/cm2", "A/m^2", 1e4),
        ("µA", "A", 1e-6),
        ("μA", "A", 1e-6),
        ("Volts", "V", 1.0),
    ],
)
def test_units_as_files_spell_them(unit: str, target: str, factor: float) -> None:
    scale, offset = conversion(unit, target)
    assert scale == pytest.approx(factor, rel=1e-12)
    assert offset == 0.0


def test_temperatures_have_an_offset() -> None:
    assert conversion("degC", "K") == pytest.approx((1.0, 273.15))
    assert spelling("m s-1") == "m s^-1"
