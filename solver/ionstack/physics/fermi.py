"""Integrals of Fermi-Dirac statistics over densities of states, in logarithmic form.

The logarithms have no overflow or underflow, and they have slopes, for every argument.
"""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# ln F = -softplus(-eta) + 3/2 ln(1 + _RISE v) - P(y), with v = softplus(eta) and
# y = v/(v + _TURN). P is smooth: its error falls below 1e-14 at this degree.
_RISE = 0.5
_TURN = 12.0
_DEGREE = 42
# Above this the corrections exp(-eta) to the expansion for large eta are round-off.
_DEGENERATE = 38.0

# Trapezoidal rule of the Gaussian average: step and range in standard deviations.
_STEP = 0.25
_REACH = 9.0
_POINTS = _STEP * np.arange(-round(_REACH / _STEP), round(_REACH / _STEP) + 1)
_WEIGHTS = _STEP / np.sqrt(2.0 * np.pi) * np.exp(-0.5 * _POINTS**2)


def fermi_half(eta: jax.Array) -> jax.Array:
    """Return the Fermi-Dirac integral of order 1/2, normalised to exp(eta) far below 0.

    F(eta) = 2/sqrt(pi) * integral of sqrt(t)/(1 + exp(t - eta)) over t > 0;
    Blakemore, Solid-State Electron. 25, 1067 (1982).
    """
    return jnp.exp(log_fermi_half(eta))


def log_fermi_half(eta: jax.Array) -> jax.Array:
    """Return ln F of `fermi_half`, exact to round-off."""
    return fermi_half_enhancement(eta) - jax.nn.softplus(-eta)


def fermi_half_enhancement(eta: jax.Array) -> jax.Array:
    """Return ln[F (1 + exp(-eta))], the logarithm of `fermi_half` over the lattice gas."""
    filling = jax.nn.softplus(eta)
    position = (filling - _TURN) / (filling + _TURN)
    return 1.5 * jnp.log1p(_RISE * filling) - _chebyshev(_coefficients(), position)


def log_gauss_fermi(eta: jax.Array, width: jax.Array) -> jax.Array:
    """Return ln of the occupied share, see `gauss_fermi_logs`."""
    return gauss_fermi_logs(eta, width)[0]


def gauss_fermi_logs(eta: jax.Array, width: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return ln x and eta - ln x of the share x occupied in a Gaussian density of states.

    The states are centred at 0, and x is the mean of 1/(1 + exp(width t - eta)) over a
    normal variable t. `width` = sigma/kT may be 0; x is accurate to 1e-11 up to a width
    of 8 and to 1e-8 up to 12. Paasch and Scheinert, J. Appl. Phys. 107, 104501 (2010).
    Since x(eta) = exp(eta + width^2/2) x(-eta - width^2), only arguments for which x is
    not small are integrated.
    """
    middle = 0.5 * width * width
    # A bare comparison: the sign of a sum may differ between two compiled kernels.
    mirrored = eta < -middle
    share = _gaussian_share(jnp.where(mirrored, -eta - width * width, eta), width)
    inner = jnp.log(share)
    return jnp.where(mirrored, eta + middle, 0.0) + inner, jnp.where(mirrored, -middle, eta) - inner


def _gaussian_share(eta: jax.Array, width: jax.Array) -> jax.Array:
    """Trapezoidal rule for eta >= -width^2/2, with the nearest poles taken out."""
    points, weights = jnp.asarray(_POINTS), jnp.asarray(_WEIGHTS)
    empty = jnp.exp(-eta)

    def add(index: int, share: jax.Array) -> jax.Array:
        return share + weights[index] / (1.0 + empty * jnp.exp(width * points[index]))

    share: jax.Array = jax.lax.fori_loop(0, len(points), add, jnp.zeros_like(eta * width))
    return share + _pole_correction(eta, width)


def _pole_correction(eta: jax.Array, width: jax.Array) -> jax.Array:
    """Error of the trapezoidal rule by the poles at width t = eta +- i pi.

    2 Re[2 pi i phi(t) q/((1 - q) width)] with phi the normal density and
    q = exp(2 pi i t/step); see Trefethen and Weideman, SIAM Rev. 56, 385 (2014). It is
    below round-off for a width of 1, whose value stands for smaller ones.
    """
    wide = jnp.maximum(width, 1.0)
    decay = jnp.exp(-2.0 * jnp.pi**2 / (wide * _STEP))
    turn = 2.0 * jnp.pi / _STEP * eta / wide
    phase = jnp.pi * eta / wide**2
    density = jnp.exp(0.5 * (jnp.pi**2 - eta * eta) / wide**2) / jnp.sqrt(2.0 * jnp.pi)
    wave = jnp.sin(phase - turn) - decay * jnp.sin(phase)
    size = 4.0 * jnp.pi / wide * density * decay
    return size * wave / (1.0 - 2.0 * decay * jnp.cos(turn) + decay * decay)


def _chebyshev(coefficients: tuple[float, ...], x: jax.Array) -> jax.Array:
    """Chebyshev series by Clenshaw's recurrence."""
    this, last = jnp.zeros_like(x), jnp.zeros_like(x)
    for coefficient in reversed(coefficients[1:]):
        this, last = 2.0 * x * this - last + coefficient, this
    return x * this - last + coefficients[0]


@cache
def _coefficients() -> tuple[float, ...]:
    """Series of P at Chebyshev points, from the values of F (about a millisecond)."""
    order = np.arange(_DEGREE + 1)
    points = np.cos(np.pi * (order + 0.5) / (_DEGREE + 1))
    filling = _TURN * (1.0 + points) / (1.0 - points)
    eta = filling + np.log(-np.expm1(-filling))
    enhancement = np.log(_fermi_half_values(eta) * (1.0 + np.exp(-eta)))
    values = 1.5 * np.log1p(_RISE * filling) - enhancement
    series = 2.0 / len(order) * np.cos(np.outer(order, np.arccos(points))) @ values
    return (0.5 * float(series[0]), *series[1:].tolist())


def _fermi_half_values(eta: Floats) -> Floats:
    degenerate = _sommerfeld(np.maximum(eta, _DEGENERATE))
    return np.where(eta > _DEGENERATE, degenerate, _quadrature(np.minimum(eta, _DEGENERATE)))


def _quadrature(eta: Floats) -> Floats:
    """Trapezoidal rule in s = sqrt(t), exact to round-off as the integrand is even in s."""
    step = 0.02
    square = (step * np.arange(round(9.0 / step))) ** 2
    occupied = square / (1.0 + np.exp(square - eta[:, None]))
    return np.asarray(4.0 * step / np.sqrt(np.pi) * occupied.sum(axis=1))


def _sommerfeld(eta: Floats) -> Floats:
    """Sommerfeld's expansion for large eta."""
    from scipy.special import gamma, zeta

    order = 2.0 * np.arange(1, 9)
    parts = 2.0 * (1.0 - 2.0 ** (1.0 - order)) * zeta(order) * gamma(2.5) / gamma(2.5 - order)
    series = 1.0 + np.sum(parts * eta[:, None] ** -order, axis=1)
    return np.asarray(eta**1.5 / gamma(2.5) * series)
