"""The page of a campaign: what was asked, and the numbers of all points."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.output.campaign import write_table
from ionstack.report import write_report
from support.campaigns import write_campaign, write_point
from support.html import read_page, unpacked

POINTS = {f"0{n}-T_{n}00K": {"temperature": f"{n}00 K"} for n in (1, 2, 3)}


def test_numbers_of_all_points_can_be_plotted(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "c", POINTS)
    for name, conductance in zip(list(POINTS)[:2], (1e-6, 2e-6), strict=True):
        write_point(folder.run(name), conductance, completed=True, size=conductance * 3.0)
    write_table(folder)
    page = read_page(write_report(folder.path).read_text(encoding="utf-8"))
    assert {"100 K, 200 K, 300 K", "temperature=300 K", "unfinished"} <= set(page.text)
    assert "1 of the runs did not reach the end of their protocol." in page.text
    table = page.data["numbers"]
    assert table["x"] == "temperature [K]"
    assert unpacked(table["columns"][table["names"].index("temperature [K]")]).tolist() == [
        *(100.0, 200.0, 300.0)
    ]
    size = unpacked(table["columns"][table["names"].index("size")])
    assert size[:2] == pytest.approx([3e-6, 6e-6])


def test_a_campaign_without_a_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_campaign(tmp_path / "c", POINTS)
    assert main(["report", str(folder.path)]) == InputError.exit_status
    message = capsys.readouterr().err
    assert "table.csv: is no table of a campaign; ionstack plot" in message
