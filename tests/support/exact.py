"""Reference values in 100-digit decimal arithmetic."""

from __future__ import annotations

from decimal import Decimal, localcontext

_DIGITS = 100


def bernoulli(x: float) -> float:
    """Return x/(exp(x)-1)."""
    with localcontext(prec=_DIGITS):
        return float(_bernoulli(Decimal(x)))


def bernoulli_slope(x: float) -> float:
    """Return the derivative of x/(exp(x)-1): (e^x - 1 - x e^x)/(e^x - 1)^2."""
    with localcontext(prec=_DIGITS):
        argument = Decimal(x)
        if x == 0.0:
            return -0.5
        rise = argument.exp()
        return float((rise - 1 - argument * rise) / (rise - 1) ** 2)


def scharfetter_gummel(c_k: float, c_l: float, drift: float) -> float:
    """Return B(-Q) c_K - B(Q) c_L for Q = `drift`."""
    with localcontext(prec=_DIGITS):
        q = Decimal(drift)
        return float(_bernoulli(-q) * Decimal(c_k) - _bernoulli(q) * Decimal(c_l))


def occupation_difference(eta_k: float, eta_l: float) -> float:
    """Return 1/(1+exp(-eta_K)) - 1/(1+exp(-eta_L))."""
    with localcontext(prec=_DIGITS):
        first, second = (1 / (1 + (-Decimal(eta)).exp()) for eta in (eta_k, eta_l))
        return float(first - second)


def _bernoulli(x: Decimal) -> Decimal:
    return x / (x.exp() - 1) if x else Decimal(1)
