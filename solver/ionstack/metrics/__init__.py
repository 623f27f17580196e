"""What experimenters read off curves: plain functions of arrays, in SI units.

One module per kind of measurement. The functions know no files, no figures and no solver, so
they serve simulated and measured data alike.

One rule for bad input: where the arrays cannot be what the function is for (different
lengths, too few points, values that are not finite or not in the order asked for) it raises
`InputError` with a sentence for the user. Where the arrays are fine but the quantity does not
exist in them (a loop that never switches, a voltage outside the sweep, a spectrum without an
arc) the number is NaN, so that one such cycle does not end the evaluation of the others.
"""

from ionstack.metrics.loops import (
    CycleConductance,
    DeviceCurve,
    Trace,
    cycle_conductance,
    device_curve,
)

__all__ = [
    "CycleConductance",
    "DeviceCurve",
    "Trace",
    "cycle_conductance",
    "device_curve",
]
