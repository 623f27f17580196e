"""Measured curves: an experimenter's table in, the field's numbers and a figure out."""

from ionstack.measure.run import KINDS, measure

__all__ = ["KINDS", "measure"]
