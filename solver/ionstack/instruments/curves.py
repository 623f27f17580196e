"""Which function takes the curve of which instrument."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ionstack.errors import InputError
from ionstack.instruments import electric_curves, pulse_curves, rest_curves
from ionstack.instruments.curve import Curve
from ionstack.instruments.records import Records
from ionstack.instruments.selection import View


def take(records: Records, view: View) -> Curve:
    """Return the curve of a view. Raises InputError where the run has too little for it."""
    if not view.steps:
        raise InputError(f"the run has no step for it ({', '.join(view.kind.fits)})")
    return _TAKES[view.kind.name](records, view)


_TAKES: Mapping[str, Callable[[Records, View], Curve]] = {
    "iv": electric_curves.iv,
    "variation": pulse_curves.variation,
    "retention": rest_curves.retention,
    "ltp": pulse_curves.ltp,
    "ppf": pulse_curves.ppf,
    "srdp": pulse_curves.srdp,
    "epsc": electric_curves.epsc,
    "decay": rest_curves.decay,
    "pulses": pulse_curves.pulses,
    "cv": electric_curves.cv,
    "gcd": electric_curves.gcd,
    "selfdischarge": electric_curves.self_discharge,
    "impedance": electric_curves.impedance,
}
