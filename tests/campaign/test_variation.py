"""What --vary understands, and how it answers a mistake."""

from __future__ import annotations

import pytest

from ionstack.errors import InputError
from ionstack.reading.variation import numbers, parse_variations


def values(text: str) -> tuple[str, ...]:
    (found,) = parse_variations([f"key={text}"], [])
    return found.values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("280 K", ("280 K",)),
        ("280 K, 300 K ,320K", ("280 K", "300 K", "320K")),
        ("lu,mumps", ("lu", "mumps")),
        ('"a, b",c', ('"a, b"', "c")),
        ("{kind: ohmic, x: 1},[1, 2]", ("{kind: ohmic, x: 1}", "[1, 2]")),
        ("400 cm^2/(V s),1 m^2/(V s)", ("400 cm^2/(V s)", "1 m^2/(V s)")),
        ("0.1 V:0.3 V:3", ("0.1 V", "0.2 V", "0.3 V")),
        ("-1:1:3", ("-1", "0", "1")),
        ("0 V,0.5 V:1 V:2", ("0 V", "0.5 V", "1 V")),
        ("linear(0 degC, 50 degC, 3)", ("0 degC", "25 degC", "50 degC")),
        ("log(1 mV/s, 1 V/s, 4)", ("1 mV/s", "10 mV/s", "100 mV/s", "1000 mV/s")),
        ("log(-1 V, -100 V, 3)", ("-1 V", "-10 V", "-100 V")),
        ("0.1:0.7:7", ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7")),
    ],
)
def test_values_are_expanded(text: str, expected: tuple[str, ...]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("temperature", "write it as key=a,b,c"),
        ("=1,2", "write it as key=a,b,c"),
        ("a..b=1,2", "write it as key=a,b,c"),
        ("a=", "no values"),
        ("a=1 V,,2 V", "a value is missing"),
        ("a=1 V,", "a value is missing"),
        ("a=1 V,2 V,1 V", "'1 V' is given twice"),
        ("a=(1 V,2 V", "a bracket is not closed"),
        ('a="1 V,2 V', "a quote is not closed"),
        ("a=1 V:2 V", "needs three parts"),
        ("a=log(1 V, 2 V)", "needs three parts"),
        ("a=1 V:2 V:x", "the count is 'x'"),
        ("a=1 V:2 V:1", "the count is '1'"),
        ("a=1 V:2 V:1000000", "the count is '1000000'"),
        ("a=1 V:2 V:2.5", "the count is '2.5'"),
        ("a=1 V:2:3", "'2' needs a unit"),
        ("a=1 V:2 A:3", "'2 A' is not a quantity in V"),
        ("a=1 parrot:2 parrot:3", "unknown unit 'parrot'"),
        ("a=1 V:1 V:3", "starts where it stops"),
        ("a=log(0 V, 1 V, 3)", "cannot reach or cross zero"),
        ("a=log(-1 V, 1 V, 3)", "cannot reach or cross zero"),
    ],
)
def test_a_mistake_is_answered_with_what_was_written(text: str, answer: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_variations([text], [])
    assert str(caught.value).startswith(f"--vary {text}: ")
    assert answer in str(caught.value)


def test_a_key_is_given_once_and_all_mistakes_are_answered_together() -> None:
    with pytest.raises(InputError) as caught:
        parse_variations(["a=1,2", "a=3,4", "b=1,2", "c="], ["b = 5"])
    first, second, third = str(caught.value).splitlines()
    assert first == "--vary a=3,4: a is given by another --vary already"
    assert second == "--vary b=1,2: b is given by --set already"
    assert third.startswith("--vary c=: no values")


def test_something_must_vary() -> None:
    with pytest.raises(InputError, match="--vary: nothing to vary"):
        parse_variations([], [])


def test_quantities_come_in_the_unit_of_the_first() -> None:
    assert numbers(["5 mV", "1 V"]) == ([5.0, 1000.0], "mV")
    assert numbers(["1", "2.5"]) == ([1.0, 2.5], "1")
    assert numbers(["lu", "mumps"]) is None
    assert numbers(["1 V", "2"]) is None
    assert numbers(["1 V", "2 A"]) is None
