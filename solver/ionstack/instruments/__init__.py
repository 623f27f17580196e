"""Instruments: what an experimenter would plot of a run, taken from its files by itself."""
