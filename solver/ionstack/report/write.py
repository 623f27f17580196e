"""``ionstack report``: the page of a run as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from ionstack.output.atomic import write_text
from ionstack.output.campaign import CampaignDirectory, is_campaign
from ionstack.output.run_directory import writing_into
from ionstack.report.campaign_contents import CampaignContents, campaign_contents
from ionstack.report.contents import Contents, contents_of

_PAGE = Path(__file__).with_name("page")
_SCRIPTS = ("data.js", "curves.js", "profiles.js", "scene.js", "start.js")


def write_report(folder: Path) -> Path:
    """Write ``report.html`` into the folder of a run or a campaign and return its path.

    Both may be unfinished. Raises InputError for any other folder, if a file is damaged, or if
    nothing can be written into the folder.
    """
    if is_campaign(folder):
        html = _page("campaign.html", campaign_contents(CampaignDirectory(folder)))
    else:
        html = _page("report.html", contents_of(folder))
    path = folder / "report.html"
    with writing_into(folder):
        write_text(path, html)
    return path


def _page(template: str, contents: Contents | CampaignContents) -> str:
    """Return the page as HTML.

    All text of a case is escaped. Besides, the page's own policy lets a browser run the
    scripts of these hashes only, and load nothing from anywhere.
    """
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [get_plotlyjs(), "\n".join(_file(name) for name in _SCRIPTS)]
    return environment.get_template(template).render(
        page=contents,
        style=_file("report.css"),
        scripts=scripts,
        hashes=" ".join(f"'sha256-{_hash(script)}'" for script in scripts),
    )


def _file(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
