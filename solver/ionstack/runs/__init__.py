"""Runs from a case to its folder: prepared, begun, gone on with, reported."""
