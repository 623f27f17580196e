"""The commands that are shown for campaigns can be run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.reading.variation import parse_variations

ROOT = Path(__file__).parents[2]
_DOCUMENTED = ("docs/campaigns.md", "docker/Dockerfile")


def commands() -> list[str]:
    """Return the sweeps of the documents, with continued lines joined."""
    texts = [(ROOT / name).read_text().replace("\n#", "\n") for name in _DOCUMENTED]
    joined = [re.sub(r"\\\n\s*", "", text) for text in texts]
    lines = [line for text in joined for line in text.splitlines()]
    return [line[line.index("sweep cases/") :] for line in lines if "sweep cases/" in line]


@pytest.mark.parametrize("command", commands())
def test_first_and_last_point_of_a_documented_command_are_right(command: str) -> None:
    words = shlex.split(command.split("` ")[0])
    varied = [words[n + 1] for n, word in enumerate(words) if word == "--vary"]
    variations = parse_variations(varied, [])
    for end in (0, -1):
        load_case(ROOT / words[1], [f"{one.key}={one.values[end]}" for one in variations])


def test_there_are_documented_commands() -> None:
    assert len(commands()) >= 5
