"""The page in a real browser that has no network: every plot is drawn, and answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from ionstack.report import write_report
from support.browser import Browser, browser
from support.reported import HOSTILE, make_run

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.viewers,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="chromium is missing: ./ionstack viewers python3 -m pytest -m viewers",
    ),
]

DRAWN = """[...document.querySelectorAll('.plot')].filter(p => !p.closest('details'))
    .every(p => p.dataset.drawn === 'yes')"""


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Browser]:
    assert CHROMIUM is not None
    with browser(CHROMIUM, tmp_path / "profile") as page:
        yield page


def look(page: Browser) -> None:
    """Scroll through the whole page, so that every plot comes into sight."""
    for place in range(0, int(page.run("document.documentElement.scrollHeight")) + 2000, 500):
        page.run(f"scrollTo({{top: {place}, behavior: 'instant'}})")
        page.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 60)))")
    page.wait(DRAWN)


@pytest.mark.parametrize(("dimension", "width"), [(1, 1280), (2, 1280), (3, 390)])
def test_every_plot_is_drawn_without_network(
    tmp_path: Path, chromium: Browser, dimension: int, width: int
) -> None:
    page = write_report(make_run(tmp_path / "run", dimension).path)
    chromium.open(page, width, 800)
    look(chromium)
    for name in ("trace", "profiles", "effort"):
        lines = f"document.querySelectorAll('#{name} .scatterlayer .js-line').length"
        assert chromium.run(lines) > 0, name
    assert chromium.run("document.querySelectorAll('#scene canvas').length") == 1
    assert chromium.run("document.documentElement.scrollWidth") <= width
    assert chromium.complaints == []
    assert all(one.startswith(("file:", "data:", "blob:")) for one in chromium.requests)


def test_the_scene_has_colours_and_layers_that_can_be_hidden(
    tmp_path: Path, chromium: Browser
) -> None:
    page = write_report(make_run(tmp_path / "run", 2).path)
    chromium.open(page, 1280, 800)
    look(chromium)
    chromium.run("document.getElementById('device').scrollIntoView({behavior: 'instant'})")
    shown = "report.shown('scene').filter(one => one.type === 'mesh3d' && one.visible).length"
    assert chromium.run(shown) == 3
    chromium.wait("document.querySelector('#scene .printed')?.src.startsWith('data:image/svg')")
    chromium.picture(tmp_path / "scene.png")
    image = matplotlib.image.imread(tmp_path / "scene.png")[:, :, :3]
    assert (np.ptp(image, axis=2) > 0.3).mean() > 0.1
    chromium.run("document.querySelector('#scene fieldset input').click()")
    assert chromium.run(shown) == 2
    assert "stretched 300 times" in chromium.run(
        "document.querySelector('#scene .note').textContent"
    )


def test_cycles_states_and_axes_can_be_chosen(tmp_path: Path, chromium: Browser) -> None:
    page = write_report(make_run(tmp_path / "run", 1).path)
    chromium.open(page, 1280, 800)
    look(chromium)
    cycles = "report.shown('trace').filter(one => one.name?.startsWith('cycle')).length"
    assert chromium.run(cycles) == 8
    change(chromium, "#trace input[type=number]", "5")
    assert chromium.run(cycles) == 4
    chromium.run("document.querySelector('#trace input[type=checkbox]').click()")
    assert chromium.run("document.querySelector('#trace .drawing').layout.yaxis.type") == "log"
    change(chromium, "#profiles select", "1")
    title = "document.querySelector('#profiles .drawing').layout.yaxis.title.text"
    assert chromium.run(title) == "|Li+ [m^-3]|"
    chromium.run("document.querySelectorAll('#profiles fieldset input').forEach(o => o.click())")
    assert chromium.run("report.shown('profiles').length") == 0
    assert chromium.complaints == []


def test_values_appear_under_the_mouse(tmp_path: Path, chromium: Browser) -> None:
    page = write_report(make_run(tmp_path / "run", 1).path)
    chromium.open(page, 1280, 800)
    look(chromium)
    chromium.run("document.getElementById('profiles').scrollIntoView({behavior: 'instant'})")
    x, y = chromium.run(
        """(() => {
            const line = document.querySelector('#profiles .scatterlayer .js-line');
            const place = line.getPointAtLength(0.2 * line.getTotalLength());
            const plot = document.querySelector('#profiles .nsewdrag').getBoundingClientRect();
            return [plot.left + place.x, plot.top + place.y];
        })()"""
    )
    chromium.move(x - 3, y)
    chromium.move(x, y)
    chromium.wait("document.querySelector('#profiles .hoverlayer text') !== null")
    text = chromium.run("document.querySelector('#profiles .hoverlayer').textContent")
    assert "depth:" in text
    assert "nm" in text


def test_a_case_cannot_run_scripts(tmp_path: Path, chromium: Browser) -> None:
    page = write_report(make_run(tmp_path / "run", 1, HOSTILE).path)
    injected = "<script>document.title = 'injected'</script><img src=x onerror=document.title='x'>"
    # Even text that were not escaped would not run.
    page.write_text(page.read_text().replace("<main>", f"<main>{injected}"))
    chromium.open(page, 1280, 800)
    look(chromium)
    assert chromium.run("document.title") == f"{HOSTILE}: ionstack report"


def change(page: Browser, control: str, value: str) -> None:
    """Give the first control of a selector a value, as a user does."""
    page.run(
        f"""(() => {{
            const control = document.querySelector("{control}");
            control.value = "{value}";
            control.dispatchEvent(new Event("input", {{ bubbles: true }}));
        }})()"""
    )
