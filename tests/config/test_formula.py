"""Formulas in files: they compute as Python does, and hold nothing but arithmetic."""

from __future__ import annotations

import contextlib
import math
import pickle
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ionstack.reading.formula import Formula

ARGUMENTS = ("x", "T")
PYTHON = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "sinh", "cosh", "tanh")}
PYTHON |= {"abs": abs, "min": min, "max": max, "pi": math.pi}


def value(text: str, x: float = 0.3, T: float = 300.0) -> float:
    return float(Formula(text, ARGUMENTS)(jnp.asarray(x), jnp.asarray(T)))


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match=r".") as raised:
        Formula(text, ARGUMENTS)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3.0),
        (".5e-3", 5e-4),
        ("-x**2", -0.09),
        ("+x", 0.3),
        ("2**-1", 0.5),
        ("2**3**2", 512.0),
        ("x**0.5 - sqrt(x)", 0.0),
        ("(1 + x)*T/300", 1.3),
        ("log(exp(2.5))", 2.5),
        ("sinh(x)**2 - cosh(x)**2", -1.0),
        ("min(x, 0.2, T)", 0.2),
        ("max(x, abs(-2))", 2.0),
        ("pi/4", math.pi / 4.0),
        ("(-x)**3", -0.027),
        ("(-x)**65", -(0.3**65)),
        ("1\n + x", 1.3),
        ("x**1000000", 0.0),
    ],
)
def test_values(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-14, abs=1e-15)


def test_shape_scale_and_slope() -> None:
    formula = Formula("2", ARGUMENTS, 1e-3)
    assert formula(jnp.zeros(4), jnp.asarray(300.0)).tolist() == [2e-3] * 4
    square = Formula("x**2 + T", ARGUMENTS, 10.0)
    assert float(jax.grad(square)(jnp.asarray(-3.0), jnp.asarray(1.0))) == -60.0
    assert pickle.loads(pickle.dumps(square)) == square


def test_the_potential_of_a_published_host() -> None:
    """An open-circuit potential in the form in which fits are published."""
    text = "4.19829 + 0.0565661*tanh(-14.5546*x + 8.60942) - 0.0275479*(1/(0.998432 - x)**0.492465"
    text += " - 1.90111) - 0.157123*exp(-0.04738*x**8) + 0.810239*exp(-40*(x - 0.133875))"
    assert value(text, 0.5) == pytest.approx(eval(text, dict(PYTHON), {"x": 0.5}), rel=1e-14)


REFUSED = [
    ("x.real", "expression at character 1 is not allowed; allowed: numbers, + - * / **"),
    ("().__class__.__bases__", "expression at character"),
    ("__import__('os')", '"\'" at character 12 is not allowed'),
    ("open(x)", "the call of 'open' at character 1 is not allowed"),
    ("exp.__call__(x)", "this call at character 1"),
    ("exp(x)(x)", "this call at character 1"),
    ("exp", "the name 'exp' at character 1"),
    ("y + 1", "the name 'y' at character 1 is not allowed; allowed: numbers, + - * / ** ( ), the "),
    ("__builtins__", "the name '__builtins__'"),
    ("lambda x(1)", "no formula at character"),
    ("lambda x, y: x", "':' at character 12"),
    ("(lambda)", "no formula"),
    ("x if x else T", "ifexp expression at character 1"),
    ("(x for x in x)", "generatorexp expression"),
    ("[x for x in x]", "'[' at character 1"),
    ("x, T", "tuple expression"),
    ("x and T", "boolop expression"),
    ("not x", "unaryop expression"),
    ("x is T", "compare expression"),
    ("x // 2", "'//' before this at character 6"),
    ("x % 2", "'%' at character 3"),
    ("x == 2", "'=' at character 3"),
    ("x := 2", "':' at character 3"),
    ("True", "True at character 1"),
    ("None", "None at character 1"),
    ("1j", "1j at character 1"),
    ("...", "Ellipsis at character 1"),
    ("1e999", "a number that is not finite at character 1"),
    ("9" * 400, "a number that is not finite"),
    ("max(*x, T)", "starred expression"),
    ("max(x)", "max takes two or more arguments, found 1"),
    ("exp(x, T)", "exp takes one argument, found 2"),
    ("exp()", "exp takes one argument, found 0"),
    ("yield x", "no formula"),
    ("await x", "await"),
    ("x +", "no formula at character"),
    ("", "empty formula"),
    ("  ", "empty formula"),
    ("x\0", "at character 2 is not allowed"),
    ("é", "at character 1 is not allowed"),
    ("1 + " * 400 + "1", "formula of 1601 characters; at most 1000 are allowed"),
    ("+".join("1" * 200), "nested more than 100 deep"),
    ("(" * 400 + "1" + ")" * 400, ""),
    ("-" * 900 + "1", ""),
    ("**".join("9" * 300), "nested more than 100 deep"),
]


@pytest.mark.parametrize(("text", "answer"), REFUSED)
def test_everything_else_is_refused_with_its_place(text: str, answer: str) -> None:
    assert answer in refusal(text)


def test_towers_of_powers_cost_nothing() -> None:
    start = time.perf_counter()
    assert value("**".join("9" * 90)) == math.inf
    assert value("9**9**9**9") == math.inf
    assert time.perf_counter() - start < 5.0


def test_a_number_that_looks_like_a_keyword_gives_no_warning() -> None:
    assert "no formula" in refusal("1if x") or "expression" in refusal("1if x else 2")


LEAVES = st.one_of(
    st.sampled_from(["x", "T", "pi"]),
    st.floats(0.0, 1e3).map(lambda number: f"{number:.6g}"),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{}({})".format, st.sampled_from(["exp", "tanh", "abs", "sqrt", "-"]), inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("({})**{}".format, inner, st.integers(0, 4)),
    )


@settings(max_examples=60, deadline=None)
@given(text=st.recursive(LEAVES, combined, max_leaves=6), x=st.floats(0.01, 2.0))
def test_formulas_compute_as_python_does(text: str, x: float) -> None:
    try:
        expected = eval(text, dict(PYTHON), {"x": x, "T": 300.0})
    except (ZeroDivisionError, OverflowError, ValueError):
        return
    found = value(text, x)
    if math.isfinite(expected):
        # Sums that cancel keep the round-off of their parts.
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9) or abs(found) > 1e12


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("xT0123456789.eE+-*/(), abcdefgilmnopqrst_"), max_size=40))
def test_no_text_does_more_than_raise_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        Formula(text, ARGUMENTS)


def test_slopes_agree_with_differences() -> None:
    formula = Formula("exp(-x)*log(1 + x**2) + tanh(3*x)/(2 - x)**1.5", ARGUMENTS)
    x, T, step = np.linspace(0.05, 1.5, 30), jnp.asarray(300.0), 1e-6
    slope = jax.jvp(lambda one: formula(one, T), (jnp.asarray(x),), (jnp.ones(30),))[1]
    difference = (formula(jnp.asarray(x + step), T) - formula(jnp.asarray(x - step), T)) / 2e-6
    np.testing.assert_allclose(slope, difference, rtol=1e-7)
