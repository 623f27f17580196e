"""J2 plasticity and creep, implicit in the step, as functions of stress at many points.

Symmetric tensors are vectors (..., n) in Mandel's order: 11, 22, 33, then sqrt(2) times the
shear components. Products of tensors are then plain products of vectors and matrices. n
is 6 in space, and 4 where two shear components vanish: plane strain and axial symmetry.

Radial return: Simo and Hughes, Computational Inelasticity (1998), box 3.2; the tangent is
the derivative of the returned stress, de Souza Neto, Peric and Owen, Computational Methods
for Plasticity (2008), eq. 7.213, with the slope of the flow in place of 1/(3G + H).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionstack.physics.solids import Creep, Solid

Floats = NDArray[np.float64]

# Newton's method for creep starts within a factor 2 of the root and gains digits squarely.
_MOST_ITERATIONS = 60


class Flow(NamedTuple):
    """What a step does to a solid at every point.

    `stress` (..., n) [Pa] after the return; `strain` (..., n) plastic strain that the step
    adds, creep included; `equivalent` (...,) its equivalent strain; `tangent` (..., n, n) [Pa],
    the derivative of the stress by the total strain.
    """

    stress: Floats
    strain: Floats
    equivalent: Floats
    tangent: Floats


def elastic_stiffness(solid: Solid, size: int) -> Floats:
    """Return the isotropic stiffness (size, size) [Pa] in Mandel's order."""
    return solid.bulk_modulus * _volumetric(size) + 2.0 * solid.shear_modulus * _deviatoric(size)


def hydrostatic(stress: Floats) -> Floats:
    """Return a third of the trace [Pa], positive in tension."""
    return np.asarray(stress[..., :3].sum(axis=-1) / 3.0)


def deviator(stress: Floats) -> Floats:
    """Return the stress without its hydrostatic part."""
    result = np.array(stress, dtype=np.float64)
    result[..., :3] -= hydrostatic(stress)[..., None]
    return result


def equivalent_stress(stress: Floats) -> Floats:
    """Return von Mises' equivalent stress [Pa], not negative."""
    return np.asarray(np.sqrt(1.5) * np.linalg.norm(deviator(stress), axis=-1))


def flow(solid: Solid, trial: Floats, equivalent: Floats, step: float) -> Flow:
    """Return `trial` stress to what the solid bears after a step of `step` seconds.

    trial: stress (..., n) [Pa] with the plastic strain kept as it was.
    equivalent: equivalent plastic strain (...,) before the step.
    Where a solid both creeps and yields, the faster of the two decides: creep alone where it
    brings the stress below the yield strength, which the flow brings it down to otherwise.
    """
    loaded = equivalent_stress(trial)
    shear = solid.shear_modulus
    amount, slope = equivalent_flow(solid, 3.0 * shear, loaded, equivalent, step)
    direction = deviator(trial) / np.where(loaded > 0.0, loaded, 1.0)[..., None]
    strain = 1.5 * amount[..., None] * direction
    tangent = _tangent(solid, direction, loaded, amount, slope)
    return Flow(trial - 2.0 * shear * strain, strain, amount, tangent)


def equivalent_flow(
    solid: Solid, relief: float, loaded: Floats, equivalent: Floats, step: float
) -> tuple[Floats, Floats]:
    """Equivalent strain that a step adds, and its slope by the equivalent trial stress [1/Pa].

    relief: fall of the equivalent stress per equivalent strain that flows [Pa]: 3 G where the
        total strain is given, E/(2 (1 - nu)) in a film that is free across.
    loaded: equivalent stress [Pa] of the trial; equivalent, step: as in `flow`.
    """
    yielding = _yielding(solid, relief, loaded, equivalent)
    return _larger(yielding, _creeping(solid.creep, relief, loaded, step))


def _yielding(
    solid: Solid, relief: float, loaded: Floats, equivalent: Floats
) -> tuple[Floats, Floats]:
    """Equivalent strain of rate-independent flow and its slope by the trial stress."""
    slope = 1.0 / (relief + solid.hardening)
    excess = loaded - (solid.yield_strength + solid.hardening * equivalent)
    flows = excess > 0.0
    return np.where(flows, excess, 0.0) * slope, np.where(flows, slope, 0.0)


def _creeping(
    creep: Creep | None, relief: float, loaded: Floats, step: float
) -> tuple[Floats, Floats]:
    """Equivalent strain of creep and its slope by the trial stress."""
    amount, slope = np.zeros_like(loaded), np.zeros_like(loaded)
    if creep is None or step <= 0.0 or creep.rate <= 0.0:
        return amount, slope
    over = loaded - creep.threshold
    flows = over > 0.0
    log_left = _log_overstress(creep, relief, np.log(over[flows]), step)
    found = step * creep.rate * np.exp(creep.exponent * (log_left - np.log(creep.stress)))
    local = creep.exponent * found * np.exp(-log_left)
    amount[flows], slope[flows] = found, local / (1.0 + relief * local)
    return amount, slope


def _log_overstress(creep: Creep, relief: float, log_over: Floats, step: float) -> Floats:
    """Solve s + relief step rate (s/stress)^m = s_trial for ln s.

    In logarithms the left side is convex with slopes between 1 and m: from the right of
    the root, where at least one of its two terms is all of the right side, Newton's method
    comes down to it without fail.
    """
    offset = np.log(relief * step * creep.rate) - creep.exponent * np.log(creep.stress)
    root = np.minimum(log_over, (log_over - offset) / creep.exponent)
    for _ in range(_MOST_ITERATIONS):
        power = offset + creep.exponent * root
        total = np.logaddexp(root, power)
        change = (total - log_over) / (1.0 + (creep.exponent - 1.0) * np.exp(power - total))
        root = root - change
        if np.all(np.abs(change) <= 4e-16 * np.maximum(1.0, np.abs(root))):
            break
    return np.asarray(root)


def _larger(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """The larger flow with its slope."""
    first = one[0] >= other[0]
    return np.where(first, one[0], other[0]), np.where(first, one[1], other[1])


def _tangent(
    solid: Solid, direction: Floats, loaded: Floats, amount: Floats, slope: Floats
) -> Floats:
    size = direction.shape[-1]
    shear = solid.shear_modulus
    # Part of the deviator that the return takes away, 0 where nothing flows.
    lost = 3.0 * shear * amount / np.where(loaded > 0.0, loaded, 1.0)
    along = 9.0 * shear**2 * (amount / np.where(loaded > 0.0, loaded, 1.0) - slope)
    return np.asarray(
        solid.bulk_modulus * _volumetric(size)
        + (2.0 * shear * (1.0 - lost))[..., None, None] * _deviatoric(size)
        + along[..., None, None] * direction[..., :, None] * direction[..., None, :]
    )


def _volumetric(size: int) -> Floats:
    unit = np.zeros(size)
    unit[:3] = 1.0
    return np.asarray(np.outer(unit, unit), dtype=np.float64)


def _deviatoric(size: int) -> Floats:
    return np.asarray(np.eye(size) - _volumetric(size) / 3.0)
