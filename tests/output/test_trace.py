from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.output.trace import TraceWriter, contacts_in, read_trace

CONTACTS = ("Pt", "ITO")


def write(path: Path, rows: int) -> None:
    with TraceWriter(path, CONTACTS) as trace:
        for k in range(rows):
            volts, amps = {"Pt": 0.1 * k, "ITO": 0.0}, {"Pt": k / 3e9, "ITO": -k / 3e9}
            trace.append(k / 7.0, volts, amps, 1.0 / 7.0, 4, k // 2)


def test_header_and_values_survive_exactly(tmp_path: Path) -> None:
    write(tmp_path / "trace.csv", 5)
    header = (tmp_path / "trace.csv").read_text().splitlines()[0]
    assert header == (
        "time [s],voltage Pt [V],voltage ITO [V],current Pt [A],current ITO [A],"
        "step [s],newton [1],cycle [1],step [1]"
    )
    trace = read_trace(tmp_path / "trace.csv")
    assert contacts_in(trace) == CONTACTS
    np.testing.assert_array_equal(trace["time [s]"], np.arange(5) / 7.0)
    np.testing.assert_array_equal(trace["current ITO [A]"], -np.arange(5) / 3e9)
    np.testing.assert_array_equal(trace["cycle [1]"], [0, 0, 1, 1, 2])


def test_rows_are_on_disk_before_the_file_is_closed(tmp_path: Path) -> None:
    trace = TraceWriter(tmp_path / "trace.csv", CONTACTS)
    trace.append(0.5, {"Pt": 1.0, "ITO": 0.0}, {"Pt": 1e-9, "ITO": -1e-9}, 0.5, 3, 1)
    assert read_trace(tmp_path / "trace.csv")["time [s]"].tolist() == [0.5]
    trace.close()


def test_a_file_cut_at_any_byte_gives_its_complete_rows(tmp_path: Path) -> None:
    write(tmp_path / "trace.csv", 3)
    content = (tmp_path / "trace.csv").read_bytes()
    cut = tmp_path / "cut.csv"
    for end in range(content.index(b"\n") + 1, len(content) + 1):
        cut.write_bytes(content[:end])
        complete = content[:end].count(b"\n") - 1
        assert len(read_trace(cut)["time [s]"]) == complete


def test_damage_is_reported_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    write(path, 3)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], "1,2,3\n", *lines[3:]]))
    with pytest.raises(InputError, match=r"trace\.csv:3: has 3 values, the header has 9"):
        read_trace(path)
    path.write_text("".join([*lines[:3], lines[3].replace(",4,", ",four,")]))
    with pytest.raises(InputError, match=r"trace\.csv:4: could not convert.*'four'"):
        read_trace(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"no column 'time \[s\]'"):
        read_trace(path)
    with pytest.raises(InputError, match=r"absent\.csv: cannot be read: No such file"):
        read_trace(tmp_path / "absent.csv")


def test_contact_names_may_hold_commas(tmp_path: Path) -> None:
    names = ("top, left", "bottom")
    with TraceWriter(tmp_path / "trace.csv", names) as trace:
        values = dict.fromkeys(names, 1.0)
        trace.append(0.0, values, values, 0.0, 0, 0)
    assert contacts_in(read_trace(tmp_path / "trace.csv")) == names
