"""Quasi-static mechanics of a stack by finite elements: mesh, body, and the way to the nodes."""
