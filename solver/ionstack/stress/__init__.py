"""Stress as a field beside the transport unknowns: films and bodies of mechanics in a device."""
