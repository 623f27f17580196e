"""XPS: what electrons from below the surface bring out, atomic fractions, valences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

FloatArray = npt.NDArray[np.float64]


def attenuated(values: FloatArray, length: float, step: float) -> FloatArray:
    """Return mean values (…, n) below each cell, weighed with exp(-z/length) from its top.

    Cells are `step` [m] thick; `length` [m] is the attenuation length times the cosine of the angle
    to the normal. Below the last cell it goes on as in it; what is uniform stays.
    """
    kept = np.exp(-step / length)
    upwards = values[..., ::-1]
    start = kept * upwards[..., :1]
    found, _ = lfilter([1.0 - kept], [1.0, -kept], upwards, axis=-1, zi=start)
    return np.asarray(found[..., ::-1])


def atomic_fractions(
    counts: Mapping[str, FloatArray], sensitivities: Mapping[str, float], background: float
) -> dict[str, FloatArray]:
    """Return each line's share of all atoms from the counts of all lines, which sum to 1.

    x_j = (I_j / S_j) / sum of (I_k / S_k): a gain of one element lowers all others.
    """
    per_atom = {name: (one - background) / sensitivities[name] for name, one in counts.items()}
    total = sum(per_atom.values(), np.zeros(()))
    return {name: one / total for name, one in per_atom.items()}


def guest_content(shares: Mapping[int, float], host: int, charge: int) -> float:
    """Return guests per host atom from the shares of the host's valences.

    A host atom reduced from valence `host` to v took up host - v electrons, one guest brings
    `charge`. For Mg in WO3, W6+ : W5+ : W4+ = 1 : 0.5 : 0.06 gives 0.199.
    """
    electrons = sum((host - valence) * share for valence, share in shares.items())
    return electrons / (charge * sum(shares.values()))
