"""How heat leaves a stack: resistances of substrates and contacts, as plain functions."""

from __future__ import annotations


def spreading_resistance(conductivity: float, radius: float) -> float:
    """Resistance 1/(4 k a) [K/W] between an isothermal disc and a thick substrate.

    Carslaw and Jaeger, Conduction of Heat in Solids (1959), section 8.2.

    Args:
        conductivity: thermal conductivity k of the substrate [W/(m K)].
        radius: radius a of the disc [m]; the substrate is thicker and wider than that.
    """
    return 1.0 / (4.0 * conductivity * radius)


def series_conductance(coefficient: float, resistance: float) -> float:
    """Conductance per area [W/(m^2 K)] of a heat transfer coefficient behind a resistance.

    Args:
        coefficient: heat transfer coefficient [W/(m^2 K)], infinite for perfect contact.
        resistance: resistance in series [K m^2/W], 0 for none.
    """
    if resistance == 0.0:
        return coefficient
    return 1.0 / (1.0 / coefficient + resistance)
