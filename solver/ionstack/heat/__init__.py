"""Temperature as a field beside the transport unknowns."""
