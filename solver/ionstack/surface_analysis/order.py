"""What is wanted of an instrument, by the command line or by a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ionstack.errors import InputError
from ionstack.output.run_directory import RunDirectory
from ionstack.reading.yaml_source import Node, read_yaml
from ionstack.surface_analysis.setup import Setup, setup_from

# Setup that a kind of analysis has unless another is named.
KINDS = {"tof_sims": "tof_sims_c60", "xps": "xps_al_ka"}


@dataclass(frozen=True)
class Order:
    """What is wanted of an instrument: states, signals, stages switched off, maps besides.

    `measured`: a table to compare one state with. `folder`: where the files go, in that of the run.
    """

    states: Sequence[str] = ()
    signals: Sequence[str] = ()
    without: Sequence[str] = ()
    maps: bool = False
    measured: Path | None = None
    folder: str = "sims"
    figures: bool = True


@dataclass(frozen=True)
class PlannedAnalysis:
    """An analysis that a case asks for at its end."""

    setup: Setup
    order: Order

    def record(self) -> dict[str, Any]:
        """Return what the record of a run keeps: with it the analysis can be done again.

        Of a measured table this is the name only.
        """
        order = self.order
        return {
            "setup": self.setup.record(),
            "states": list(order.states),
            "signals": list(order.signals),
            "without": list(order.without),
            "map": order.maps,
            "measured": None if order.measured is None else order.measured.name,
            "folder": order.folder,
        }


def planned(folder: Path) -> tuple[PlannedAnalysis, ...]:
    """Return the analyses that the case of a run asked for, from its record.

    Raises InputError for a record that no run has written.
    """
    path = RunDirectory(folder).case
    found = read_yaml(path).child("analyses") if path.exists() else None
    entries = () if found is None else found.content
    try:
        assert isinstance(entries, tuple)
        return tuple(_planned(path, one) for one in entries)
    except (AssertionError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: analyses: is not the record of a run") from error


def _planned(path: Path, node: Node) -> PlannedAnalysis:
    setup = node.child("setup")
    assert setup is not None
    checked = setup_from(setup, path)
    given = {key: value for key, value in node.plain().items() if key != "setup"}
    measured = given.pop("measured") and copy_of_measured(path.parent / given["folder"], checked)
    return PlannedAnalysis(checked, Order(maps=given.pop("map"), measured=measured, **given))


def copy_of_measured(folder: Path, setup: Setup) -> Path:
    """Return where the measured table that was compared is kept beside the results."""
    return folder / f"{setup.prefix}_measured.csv"
