"""The folder of a campaign: whose it is, its table and its figure."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.output.campaign import (
    CampaignDirectory,
    Record,
    claimed_campaign,
    is_finished,
    read_record,
    write_table,
)
from ionstack.plots import draw_overlay
from support.campaigns import read_table, write_campaign, write_point, write_pulses

POINTS = {f"{n:02}-T_{n}00K": {"temperature": f"{n}00 K", "solver": "lu"} for n in (1, 2, 3)}
RECORD = Record("case.yaml", "case", (), POINTS)


def test_record_comes_back(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "c", POINTS)
    record = read_record(folder)
    assert record.points == POINTS
    assert list(record.points) == list(POINTS)
    assert record.settings == ("temperature=300 K",)


def test_another_campaign_is_refused(tmp_path: Path) -> None:
    with claimed_campaign(tmp_path / "c", RECORD, {}) as folder:
        assert folder.record.exists()
        with (
            pytest.raises(InputError, match="another run is writing into this folder now"),
            claimed_campaign(tmp_path / "c", RECORD, {}),
        ):
            pass
    other = Record("case.yaml", "case", ("a=1",), POINTS)
    # A refusal releases the folder as well.
    for _ in range(2):
        message = refusal(tmp_path / "c", other, {})
        assert "holds the results of another campaign (campaign.yaml:3:" in message
        assert "choose another folder with -o" in message
    with claimed_campaign(tmp_path / "c", RECORD, {}):
        pass


def refusal(path: Path, record: Record, cases: dict[str, str]) -> str:
    with pytest.raises(InputError) as caught, claimed_campaign(path, record, cases):
        pass
    return str(caught.value)


def test_a_run_and_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("a run")
    found = refusal(tmp_path, RECORD, {})
    assert "holds files but no campaign.yaml, so not results of a campaign" in found
    assert [file.name for file in tmp_path.iterdir()] == ["case.yaml"]
    assert "is a file, not a folder" in refusal(tmp_path / "case.yaml", RECORD, {})


def test_a_point_of_a_case_that_has_changed_is_refused(tmp_path: Path) -> None:
    point = next(iter(POINTS))
    with claimed_campaign(tmp_path, RECORD, {}) as folder:
        folder.run(point).path.mkdir()
        folder.run(point).case.write_text("doping: 1\n")
    with claimed_campaign(tmp_path, RECORD, {point: "doping: 1\n"}):
        pass
    found = refusal(tmp_path, RECORD, {point: "doping: 2\n"})
    assert "another case (case.yaml:1: 'doping: 1' there, 'doping: 2' in this run" in found


def test_only_a_completed_run_of_the_same_case_is_finished(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path, POINTS)
    one, two, three = (folder.run(point) for point in POINTS)
    for run, completed in ((one, True), (two, False)):
        run.case.write_text("case")
        write_point(run, 1.0, completed=completed)
    three.case.write_text("case")
    assert is_finished(one, "case")
    assert not is_finished(one, "another case")
    assert not is_finished(two, "case")
    assert not is_finished(three, "case")
    three.summary.write_text('{"completed": tr')
    assert not is_finished(three, "case")


def test_table_holds_values_status_and_numbers(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path, POINTS)
    one, two, _ = POINTS
    write_point(folder.run(one), 1.0, completed=True, **{"drop [eV]": 0.5, "steps": 7, "blas": "x"})
    write_point(folder.run(two), 1.0, completed=False, **{"gain": float("nan")})
    folder.failure(two).write_text("step rejected\nat t = 3 s\n")
    write_table(folder)
    first, second, third = read_table(tmp_path)
    assert list(first) == [
        *("point", "temperature [K]", "solver", "status", "message", "drop [eV]", "steps")
    ]
    assert list(first.values()) == [one, "100.0", "lu", "completed", "", "0.5", "7"]
    assert list(second.values()) == [
        *(two, "200.0", "lu", "failed", "step rejected at t = 3 s", "", "")
    ]
    assert (third["temperature [K]"], third["status"]) == ("300.0", "unfinished")


def _colours(path: Path) -> set[tuple[int, ...]]:
    image = matplotlib.image.imread(path)
    assert min(image.shape[:2]) > 300
    pixels = np.round(255.0 * image[:, :, :3]).astype(int).reshape(-1, 3)
    return {tuple(row) for row in np.unique(pixels, axis=0).tolist()}


def _drawn(tmp_path: Path, points: dict[str, dict[str, str]], pulses: bool = False) -> Path:
    folder = write_campaign(tmp_path, points)
    for number, point in enumerate(points):
        write_point(folder.run(point), 1e-6 * (1 + number), completed=True)
        if pulses:
            write_pulses(folder.run(point), [1e-6 * (1 + number) * k for k in range(1, 6)])
    (drawn,) = draw_overlay(folder)
    assert drawn == folder.overlay
    return drawn


def test_every_point_is_drawn_in_its_colour(tmp_path: Path) -> None:
    assert len(_colours(_drawn(tmp_path / "three", POINTS))) > 3
    from ionstack.plots.style import cycle_colormap

    seen = _colours(tmp_path / "three" / "overlay.png")
    for level in range(3):
        colour = tuple(round(255.0 * part) for part in cycle_colormap(3)(level)[:3])
        assert colour in seen


@pytest.mark.parametrize("unit", ["K", "mV/s"])
def test_many_values_get_a_colour_bar_and_pulses_a_panel(tmp_path: Path, unit: str) -> None:
    many = {f"{n:02}-x": {"stack.x": f"{2.0**n:g} {unit}", "n": str(n % 2)} for n in range(12)}
    plain = matplotlib.image.imread(_drawn(tmp_path / "plain", many))
    wide = matplotlib.image.imread(_drawn(tmp_path / "pulses", many, pulses=True))
    assert wide.shape[1] > plain.shape[1]


def test_points_without_curves_are_passed_over(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path, POINTS)
    assert draw_overlay(folder) == []
    one, two, _ = POINTS
    write_point(folder.run(one), 1.0, completed=True)
    folder.run(two).trace.write_text("damaged\n")
    assert draw_overlay(folder) == [folder.overlay]


def test_plot_redraws_a_campaign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_campaign(tmp_path, POINTS)
    write_point(folder.run(next(iter(POINTS))), 1.0, completed=True)
    assert main(["plot", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(folder.table), str(folder.overlay)]
    folder.record.write_text("case: x\n")
    assert main(["plot", str(tmp_path)]) == 2
    assert "campaign.yaml: is not the record of a campaign" in capsys.readouterr().err


def test_names_are_those_of_the_folder(tmp_path: Path) -> None:
    folder = CampaignDirectory(tmp_path)
    assert folder.run("01-a").path == tmp_path / "points" / "01-a"
