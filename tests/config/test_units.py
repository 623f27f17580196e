"""Quantities at the border: accepted spellings, dimension checks, messages."""

from __future__ import annotations

import pytest

from ionstack.reading.units import in_unit, number_and_unit, parse


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("80 nm", "m", 8e-8),
        ("100 nm", "m", 1e-7),
        ("200 um", "m", 2e-4),
        ("200 µm", "m", 2e-4),
        ("200 μm", "m", 2e-4),
        ("3 Å", "m", 3e-10),
        ("1e-12 cm^2/s", "m^2/s", 1e-16),
        ("1e-12 cm**2/s", "m^2/s", 1e-16),
        ("0.5 eV", "eV", 0.5),
        ("-5.4 eV", "eV", -5.4),
        ("26 meV", "eV", 0.026),
        ("1.602176634e-19 J", "eV", 1.0),
        ("25 degC", "K", 298.15),
        ("25 °C", "K", 298.15),
        ("320 K", "K", 320.0),
        ("212 degF", "K", 373.15),
        ("1 V/s", "V/s", 1.0),
        ("100 mV/s", "V/s", 0.1),
        ("1e-6 S/cm", "S/m", 1e-4),
        ("10 A/m^2", "A/m^2", 10.0),
        ("1 mA/cm^2", "A/m^2", 10.0),
        ("1.56e28 1/m^3", "1/m^3", 1.56e28),
        ("1.56e22 cm^-3", "1/m^3", 1.56e28),
        ("1.56e28 m^-3", "1/m^3", 1.56e28),
        ("1e-4 cm^2/V/s", "m^2/V/s", 1e-8),
        ("1 cm^2/(V s)", "m^2/(V*s)", 1e-4),
        ("1e30 1/(cm^3*s)", "1/(m^3*s)", 1e36),
        ("5e-4 (m/V)^0.5", "(m/V)**0.5", 5e-4),
        ("5e-3 (cm/V)**0.5", "(m/V)**0.5", 5e-4),
        ("10 uF/cm^2", "F/m^2", 0.1),
        ("1 eV*nm^2", "eV*m^2", 1e-18),
        (0.3, "1", 0.3),
        (3, "1", 3.0),
        ("0.3", "1", 0.3),
        ("30 %", "1", 0.3),
    ],
)
def test_a_quantity_comes_out_in_the_asked_unit(text: str | float, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(("text", "value"), [("100 nm", 1e-7), ("80 nm", 8e-8), ("0.1 nm", 1e-10)])
def test_conversion_leaves_no_round_off(text: str, value: float) -> None:
    assert parse(text, "m") == value


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("3e-14 cm/s", "m^2/s", "'3e-14 cm/s' is not a quantity in m^2/s"),
        ("0.25", "m", "'0.25' needs a unit, for instance '0.25 m'"),
        (0.25, "m", "'0.25' needs a unit, for instance '0.25 m'"),
        ("80 nmm", "m", "unknown unit 'nmm'"),
        ("eighty nm", "m", "'eighty nm' is not a quantity in m"),
        ("nan m", "m", "'nan m' is not a finite number"),
        ("-inf V", "V", "'-inf V' is not a finite number"),
        (float("nan"), "1", "'nan' is not a finite number"),
        ("1e999 m", "m", "'1e999 m' is not a finite number"),
        ("3 nm", "1", "'3 nm' is not a quantity without unit"),
        ("1e300 1/nm^3", "1/m^3", "'1e300 1/nm^3' is too large"),
        (True, "1", "a truth value is not a quantity"),
        (None, "m", "nothing is not a quantity"),
        ({"value": 1}, "m", "a mapping is not a quantity"),
        ("9**9**9 m", "m", "is not a quantity in m"),
        ("1 m**999", "m", "is not a quantity in m"),
        ("__import__('os') m", "m", "is not a quantity in m"),
    ],
)
def test_anything_else_is_answered_with_a_sentence(text: object, unit: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse(text, unit)
    assert message in str(raised.value)


def test_values_are_shown_in_another_unit() -> None:
    assert in_unit(1e-9, "m", "nm") == 1.0


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("280 K", 280.0, "K"),
        (" -1e-3mV/s ", -1e-3, "mV/s"),
        ("5e17 1/cm^3", 5e17, "1/cm^3"),
        ("400 cm^2/(V s)", 400.0, "cm^2/(V s)"),
        ("30 %", 30.0, "%"),
        ("2.5", 2.5, "1"),
    ],
)
def test_a_quantity_is_parted_as_it_is_written(text: str, number: float, unit: str) -> None:
    assert number_and_unit(text) == (number, unit)


@pytest.mark.parametrize("text", ["", "lu", "1 parrot", "nan K", "1 V 2", "1e999 V"])
def test_what_is_no_quantity_cannot_be_parted(text: str) -> None:
    with pytest.raises(ValueError, match=r".{10}"):
        number_and_unit(text)
