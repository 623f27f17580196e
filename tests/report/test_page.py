"""The page of a run without a browser: what it says, and that it needs and lets in nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import TraceWriter
from ionstack.report import write_report
from support.html import Page, read_page, unpacked
from support.reported import HOSTILE, make_run

LARGEST = 8_000_000


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a finished axisymmetric run."""
    run = make_run(tmp_path_factory.mktemp("page") / "run", 2)
    return write_report(run.path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return read_page(html)


def page_of(run: RunDirectory) -> Page:
    return read_page(write_report(run.path).read_text(encoding="utf-8"))


def test_every_section_is_there(page: Page) -> None:
    sections = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert sections == [
        *("solved", "curves", "depth", "device", "instruments"),
        *("conservation", "steps", "parameters", "case", "origin"),
    ]
    plots = {attributes["id"] for _, attributes in page.tags if "data-kind" in attributes}
    assert plots == set(page.data)
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert all(attributes["alt"] for tag, attributes in page.tags if tag == "img")
    assert len(page.values("id")) == len(set(page.values("id")))
    targets = {one[1:] for one in page.values("href")}
    assert targets <= set(page.values("id"))


def test_what_the_page_says(page: Page) -> None:
    text = page.text
    for expected in (
        "Two hosts",
        "axisymmetric",
        "Pt / WO3 / LiPON / MoO3 / ITO",
        "298.15 K",
        "35",
        "1 × 10⁻¹⁵ m²/s, activated with 0.3 eV",
        "a book & <b>page</b>",
        "fitted",
        "3 × 10⁻¹⁴",
        "kept",
        "above the usual limit",
        "−25 µC",
        "−30 µC to −20 µC",
        "0123456789abcdef",
        "The depth is to scale (300 nm in all), electrodes are not."
        " The device is 200 µm wide, 666.7 times its depth.",
    ):
        assert expected in text


def test_nothing_comes_from_elsewhere(html: str) -> None:
    page = read_page(html)
    sources = [*page.values("src"), *page.values("data"), *page.values("action")]
    assert all(one.startswith("data:image/png;base64,") for one in sources)
    assert all(one.startswith("#") for one in page.values("href"))
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    own = page.scripts[-1]
    assert "http" not in own.replace("https://www.w3.org", "")
    assert len(html) < LARGEST


def test_the_policy_lets_its_own_scripts_run_and_no_others(page: Page) -> None:
    policy = next(value for value in page.values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'")
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in page.scripts[1:]
    ]
    assert allowed == hashes
    assert len(hashes) == 2
    assert "unsafe-inline'" not in policy.partition("style-src")[0]


def test_strings_of_a_case_stay_strings(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1, HOSTILE)
    run.log.write_text(HOSTILE)
    with TraceWriter(run.trace, (HOSTILE, "B")) as trace:
        for time in (0.0, 1.0, 2.0):
            volts = {HOSTILE: time, "B": 0.0}
            trace.append(time, volts, volts, 1.0, 1, 0)
    page = page_of(run)
    assert len(page.scripts) == 3
    assert not any(tag == "img" for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HOSTILE) >= 2
    assert f"voltage {HOSTILE} [V]" in page.data["trace"]["names"]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_scene_is_the_device(tmp_path: Path, dimension: int) -> None:
    run = make_run(tmp_path / "run", dimension)
    scene = page_of(run).data["scene"]
    assert [layer["name"] for layer in scene["layers"]] == ["WO3", "LiPON", "MoO3"]
    assert scene["states"] == ["start", "most negative", "most positive"]
    for layer, (top, end) in zip(scene["layers"], ((0, 100), (100, 220), (220, 300)), strict=True):
        x, y, z = (unpacked(layer[axis]).astype(float) for axis in "xyz")
        corners = np.stack([unpacked(one) for one in layer["triangles"]], axis=1).astype(int)
        assert (z.min(), z.max()) == pytest.approx((top, end))
        surface = np.stack([x, y, z], axis=1)[corners]
        assert borders(surface) == 0
        radius = 50.0 if dimension == 3 else 100.0
        whole = np.pi * radius**2 * (end - top)
        assert enclosed(surface) == pytest.approx(0.75 * whole, rel=4e-3)


def borders(triangles: np.ndarray) -> int:
    """Edges that belong to one triangle only; triangles without area do not count."""
    _, number = np.unique(triangles.reshape(-1, 3).round(6), axis=0, return_inverse=True)
    corners = np.sort(number.reshape(-1, 3), axis=1)
    real = corners[(np.diff(corners, axis=1) > 0).all(axis=1)]
    edges = np.concatenate([real[:, [0, 1]], real[:, [1, 2]], real[:, [0, 2]]])
    _, count = np.unique(edges, axis=0, return_counts=True)
    return int((count % 2).sum())


def enclosed(triangles: np.ndarray) -> float:
    """Volume between the level faces of a body with upright sides."""
    (ax, ay), (bx, by) = ((triangles[:, k, :2] - triangles[:, 0, :2]).T for k in (1, 2))
    area = 0.5 * np.abs(ax * by - ay * bx)
    depth = triangles[:, 0, 2]
    upright = np.ptp(triangles[:, :, 2], axis=1) > 0.0
    area[upright] = 0.0
    lower = depth > 0.5 * (depth.min() + depth.max())
    return float((area * depth)[lower].sum() - (area * depth)[~lower].sum())


def test_colours_of_the_scene_are_those_of_the_fields(page: Page) -> None:
    """The hand-made content falls with the square of the radius."""
    scene = page.data["scene"]
    layer = scene["layers"][2]
    radius = np.hypot(unpacked(layer["x"]), unpacked(layer["y"]))
    depth = unpacked(layer["z"]) * 1e-9
    values = unpacked(layer["values"][scene["names"].index("x Li+ [1]")][1])
    expected = 0.35 - 0.2 * (1.0 - 0.4 * (radius / 100.0) ** 2) + 0.03 * np.cos(depth / 40e-9)
    # Rings lie between the radii of the mesh or on them.
    assert values == pytest.approx(expected, abs=2e-3)


def test_profiles_can_be_chosen_by_state_and_quantity(page: Page) -> None:
    table = page.data["profiles"]
    assert [one["name"] for one in table["states"]] == ["start", "most negative", "most positive"]
    assert table["names"][0] == "x Li+ [1]"
    depth = unpacked(table["depth"])
    last = unpacked(table["values"][2][0])
    inside = depth > 221.0
    expected = 0.35 + 0.15 + 0.03 * np.cos(depth[inside] / 40.0)
    assert last[inside] == pytest.approx(expected, abs=1e-6)
    assert [(one["name"], round(one["bottom"])) for one in table["layers"]] == [
        *(("WO3", 100), ("LiPON", 220), ("MoO3", 300))
    ]


def test_a_long_trace_is_thinned_and_keeps_its_peaks(disc: RunDirectory) -> None:
    with TraceWriter(disc.trace, ("Pt", "ITO")) as trace:
        for row in range(16_000):
            amps = 5.0 if row == 13_111 else np.sin(row)
            currents = {"Pt": amps, "ITO": -amps}
            trace.append(float(row), {"Pt": 0.1 * row, "ITO": 0.0}, currents, 1.0, 3, 0)
    page = page_of(disc)
    table = page.data["trace"]
    current = unpacked(table["columns"][table["names"].index("current at Pt [A]")])
    assert len(current) < 13_000
    assert current.max() == pytest.approx(5.0)
    assert table["note"] == f"{len(current)} of 16000 rows are shown"


def test_a_run_that_was_cut_off_says_so(disc: RunDirectory) -> None:
    disc.summary.unlink()
    page = page_of(disc)
    assert "Cut off." in page.text
    assert any(line.endswith("what follows goes up to 24 s.") for line in page.text)


def test_a_run_that_has_just_begun_has_a_page(disc: RunDirectory) -> None:
    kept = (disc.case, disc.trace)
    for path in disc.path.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    disc.trace.write_text(disc.trace.read_text().splitlines()[0] + "\n")
    page = page_of(disc)
    assert page.data == {}
    assert "No balances are recorded: they come with the summary, at the end of a run." in page.text


def test_a_circuit_alone_has_curves_and_no_device(disc: RunDirectory) -> None:
    disc.fields.unlink()
    disc.profiles.unlink()
    disc.case.write_text(
        "name: alone\nstack: {layers: []}\ncircuit:\n  copies: ['']\n  elements:\n"
        "  - {name: R1, kind: resistor, parameters: {resistance: 2.0e+6}}\n"
    )
    page = page_of(disc)
    assert {"a circuit alone", "R1", "resistance 2 × 10⁶"} <= set(page.text)
    assert "The run holds no fields, so there is no scene." in page.text
    assert {"scene", "profiles"}.isdisjoint(page.data)


def test_several_devices_are_not_drawn_on_top_of_each_other(disc: RunDirectory) -> None:
    with disc.case.open("a") as case:
        case.write("circuit: {copies: [M1, M2], elements: []}\n")
    page = page_of(disc)
    assert "scene" not in page.data
    assert "The run holds 2 devices: see their depth profiles." in page.text


def test_a_mesh_without_columns_has_profiles_and_no_scene(disc: RunDirectory) -> None:
    with h5py.File(disc.fields, "r+") as file:
        points = file["VTKHDF/Points"]
        points[40] = [1.01 * points[40, 0], *points[40, 1:]]
    page = page_of(disc)
    assert (
        "There is no scene: the points of the mesh do not lie in columns along the depth."
        in page.text
    )
    assert "scene" not in page.data
    assert len(page.data["profiles"]["states"]) == 3


def test_a_folder_without_a_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == InputError.exit_status
    assert "holds no run (no trace.csv in it)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_page_changes_no_other_file(disc: RunDirectory) -> None:
    def state() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in disc.path.rglob("*") if path.is_file()}

    before = state()
    page = write_report(disc.path)
    after = state()
    assert {path: after[path] for path in after if path != page} == before
