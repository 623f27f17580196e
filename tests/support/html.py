"""Reading an HTML page back: its text, tags and data."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass
class Page(HTMLParser):
    """Tags with their attributes in order, text outside of scripts, contents of scripts."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style" and data.strip():
            self.text.append(data.strip())

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute of all tags."""
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    @property
    def data(self) -> dict[str, Any]:
        """What the plots are drawn from."""
        return dict(json.loads(self.scripts[0]))


def read_page(text: str) -> Page:
    """Parse a page."""
    page = Page()
    page.feed(text)
    page.close()
    return page


def unpacked(array: dict[str, str]) -> npt.NDArray[Any]:
    """Return an array as the page carries it."""
    return np.frombuffer(base64.b64decode(array["base64"]), dtype=f"<{array['type']}")
