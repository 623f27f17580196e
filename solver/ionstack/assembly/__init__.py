"""Residual and Jacobian of a model on control volumes."""
