"""Random numbers by seed and purpose, hazards, and events that end steps."""
