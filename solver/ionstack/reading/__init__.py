"""What files say: YAML with its places, units, curves, choices of laws, records of materials."""
