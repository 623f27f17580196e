"""Figures of a finished or running run, drawn from its files only."""

from ionstack.plots.drawing import draw_all

__all__ = ["draw_all"]
