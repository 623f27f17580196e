"""What strains a metal on a clamped film: grains that swell unevenly make its face rough.

A film that is clamped in the plane does not stretch the metal on top of it. As a closure the
face below the metal is taken as a sine of the amplitude A and the wavelength of two grains;
its length exceeds that of the plane by about (pi A/l)^2 for a grain size l. How the amplitude
follows the swelling, A = A0 + gain (growth of the film), is an assumption without a source.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def roughness_amplitude(initial: float, gain: float, growth: Floats | float) -> Floats:
    """Amplitude [m] of a face whose film has grown in thickness by `growth` [m]."""
    return np.asarray(initial + gain * growth)


def roughness_strain(amplitude: Floats | float, grain: float) -> Floats:
    """Strain in the plane of a metal that follows a rough face: (pi A/l)^2."""
    return np.asarray((math.pi * amplitude / grain) ** 2)


def field_factor(amplitude: Floats | float, grain: float, gap: float) -> Floats:
    """Field at the crests of a rough face over that of a plane one, to first order.

    A face z = A sin(k x) with k = pi/l, at a distance `gap` [m] from a plane electrode: the
    solution of Laplace's equation to first order in A gives 1 + k A coth(k gap).
    """
    k = math.pi / grain
    return np.asarray(1.0 + k * amplitude / np.tanh(k * gap))


def crest_decay(distance: Floats | float, grain: float, gap: float) -> Floats:
    """Share of what a crest adds to the field that is left at a distance [m] over it.

    cosh(k(gap - distance))/cosh(k gap), of the same solution as `field_factor`.
    """
    k = math.pi / grain
    near, far = np.exp(-k * np.asarray(distance)), np.exp(-k * (2.0 * gap - distance))
    return np.asarray((near + far) / (1.0 + math.exp(-2.0 * k * gap)))
