"""Figures of runs and campaigns, finished or running, drawn from their files only."""

from ionstack.plots.drawing import draw_all
from ionstack.plots.overlay import draw_overlay

__all__ = ["draw_all", "draw_overlay"]
