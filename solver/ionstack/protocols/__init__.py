"""What is done to a device: steps laid into intervals, what drives it, what surrounds it."""
