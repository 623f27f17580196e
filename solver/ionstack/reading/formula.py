"""Formulas in files: a closed list of arithmetic, read without running anything.

The text is split by Python's own parser into a tree; only the nodes listed here are
taken over, everything else is refused with its place.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import jax
import jax.numpy as jnp

_LONGEST = 1000  # characters
_DEEPEST = 100  # nested operations
_LARGEST_REPEATED = 64  # powers up to this are products

_CONSTANTS = {"pi": math.pi}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "sinh": jnp.sinh,
    "cosh": jnp.cosh,
    "tanh": jnp.tanh,
    "abs": jnp.abs,
    "min": lambda *parts: reduce(jnp.minimum, parts),
    "max": lambda *parts: reduce(jnp.maximum, parts),
}
_SEVERAL = ("min", "max")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_STRANGE = re.compile(r"[^A-Za-z0-9_.+\-*/(), \t\n]")

Evaluate = Callable[[Sequence[jax.Array]], Any]


@dataclass(frozen=True)
class Formula:
    """A formula of named arguments, times `scale`; called with arrays in their order."""

    text: str
    arguments: tuple[str, ...]
    scale: float = 1.0

    def __post_init__(self) -> None:
        _compiled(self.text, self.arguments)

    def __call__(self, *arguments: jax.Array) -> jax.Array:
        """Return the value in the shape of the arguments."""
        shape = sum((0.0 * one for one in arguments), jnp.asarray(0.0))
        return jnp.asarray(self.scale * _compiled(self.text, self.arguments)(arguments) + shape)


@cache
def _compiled(text: str, arguments: tuple[str, ...]) -> Evaluate:
    """Read a formula once; raise `ValueError` with a sentence for the user."""
    if len(text) > _LONGEST:
        raise ValueError(f"formula of {len(text)} characters; at most {_LONGEST} are allowed")
    strange = _STRANGE.search(text)
    if strange is not None:
        raise _Refused(arguments).at(strange.start(), repr(strange[0]))
    return _Reader(arguments).read(_tree(text), 0)


def _tree(text: str) -> ast.expr:
    if not text.strip():
        raise ValueError("empty formula")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.replace("\n", " ").strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"no formula at character {error.offset}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ValueError("formula is nested too deeply") from None


@dataclass(frozen=True)
class _Refused:
    """Sentences for what a formula may not hold."""

    arguments: tuple[str, ...]

    def at(self, offset: int, found: str) -> ValueError:
        """Return the error of something found at an offset."""
        names = ", ".join((*self.arguments, *_CONSTANTS))
        allowed = f"numbers, + - * / ** ( ), the names {names}, {', '.join(_FUNCTIONS)}"
        return ValueError(f"{found} at character {offset + 1} is not allowed; allowed: {allowed}")


@dataclass(frozen=True)
class _Reader:
    """Turns allowed nodes of the tree into functions of the arguments."""

    arguments: tuple[str, ...]

    def read(self, node: ast.expr, depth: int) -> Evaluate:
        """Return the function of one node."""
        if depth > _DEEPEST:
            raise ValueError(f"formula is nested more than {_DEEPEST} deep")
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp(op=ast.USub()):
                inner = self.read(node.operand, depth + 1)
                return lambda given: -inner(given)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand, depth + 1)
            case ast.BinOp():
                return self._binary(node, depth)
            case ast.Call():
                return self._call(node, depth)
        raise self._refused(node, f"{type(node).__name__.lower()} expression")

    def _number(self, node: ast.Constant) -> Evaluate:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self._refused(node, repr(node.value))
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._refused(node, "a number that is not finite")
        return lambda given: value

    def _name(self, node: ast.Name) -> Evaluate:
        if node.id in self.arguments:
            index = self.arguments.index(node.id)
            return lambda given: given[index]
        if node.id not in _CONSTANTS:
            raise self._refused(node, f"the name {node.id!r}")
        value = _CONSTANTS[node.id]
        return lambda given: value

    def _binary(self, node: ast.BinOp, depth: int) -> Evaluate:
        operation = _BINARY.get(type(node.op))
        if operation is None:  # what the characters let through
            raise self._refused(node.right, "'//' before this")
        left = self.read(node.left, depth + 1)
        if isinstance(node.op, ast.Pow) and (power := _whole(node.right)) is not None:
            return lambda given: jnp.asarray(left(given)) ** power
        right = self.read(node.right, depth + 1)
        return lambda given: operation(jnp.asarray(left(given)), right(given))

    def _call(self, node: ast.Call, depth: int) -> Evaluate:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in _FUNCTIONS or node.keywords:
            raise self._refused(node, f"the call of {name!r}" if name else "this call")
        count = len(node.args)
        if count < 1 or (count < 2) == (name in _SEVERAL):
            wanted = "two or more arguments" if name in _SEVERAL else "one argument"
            raise ValueError(f"{name} takes {wanted}, found {count}")
        function = _FUNCTIONS[name]
        parts = [self.read(one, depth + 1) for one in node.args]
        return lambda given: function(*(part(given) for part in parts))

    def _refused(self, node: ast.expr, found: str) -> ValueError:
        return _Refused(self.arguments).at(node.col_offset, found)


def _whole(node: ast.expr) -> int | None:
    """Return a small whole exponent: a product needs no logarithm of its base."""
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if negative and isinstance(node, ast.UnaryOp) else node
    value = inner.value if isinstance(inner, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int) or value > _LARGEST_REPEATED:
        return None
    return -value if negative else value
