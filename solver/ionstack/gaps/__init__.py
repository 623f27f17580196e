"""The gap that a filament leaves open, as a field beside the transport unknowns."""
