"""What a case may say of a surface analysis at its end: an entry of the section `instruments`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ionstack.reading.schema import Strict
from ionstack.surface_analysis.setup_schema import Stage

_Text = Annotated[str, Field(min_length=1)]


def _several(data: object) -> object:
    """A single one need not be a list; times are told by their text."""
    entries = data if isinstance(data, list | tuple) else [data]
    return [str(one) if isinstance(one, int | float) else one for one in entries]


_Texts = Annotated[list[_Text], BeforeValidator(_several)]


class AnalysisModel(Strict):
    """An analysis by a kind of instrument; its files go into ``sims``, or ``sims/NAME``.

    `setup`: a shipped one by its name, or a file, from where the case lies. `states`: names or
    times; all that a run keeps by itself unless given. `measured`: a table to compare with.
    """

    kind: Literal["tof_sims", "xps"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] | None = None
    setup: _Text | None = None
    states: _Texts = Field(default_factory=list)
    signals: _Texts = Field(default_factory=list)
    without: Annotated[list[Stage], BeforeValidator(_several)] = Field(default_factory=list)
    maps: Annotated[bool, Field(alias="map", strict=True)] = False
    measured: _Text | None = None
