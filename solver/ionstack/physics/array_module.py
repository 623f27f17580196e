"""Formulas that serve arrays of NumPy and of JAX alike."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def module_of(*values: Any) -> Any:
    """Return `jax.numpy` where one of the values is an array of JAX, else `numpy`."""
    return jnp if any(isinstance(value, jax.Array) for value in values) else np


def without_slope(value: Any) -> Any:
    """Return the value as one that derivatives take for a constant."""
    return jax.lax.stop_gradient(value) if isinstance(value, jax.Array) else value
