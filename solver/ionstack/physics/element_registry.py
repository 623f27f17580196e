"""Circuit elements by name: what a law is given and gives, and the one list of all of them.

A law works element by element on arrays. Currents count into the element at each
terminal [A], charges sit on each terminal [C]; both sum to zero over the terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax

from ionstack.physics.registry import Parameter

Named = Mapping[str, jax.Array]


class Outcome(NamedTuple):
    """What an element does: by terminal, zero where left out, and one balance per own unknown.

    The balance of a state is how fast it falls [1/s]; others vanish.
    """

    currents: Named
    charges: Named
    balances: Named


Function = Callable[[Named, Named, Named, jax.Array], Outcome]


@dataclass(frozen=True)
class RandomEvent:
    """What happens to an element at random, at a rate [1/s] of voltages and own unknowns.

    `rate` takes what the element's law takes, `after` own unknowns and numbers and gives the
    own unknowns that change.
    """

    name: str
    rate: Callable[[Named, Named, Named, jax.Array], jax.Array]
    after: Callable[[Named, Named], Named]


@dataclass(frozen=True)
class Choice:
    """A parameter that a file gives as a word: which number the law receives for each."""

    name: str
    options: tuple[tuple[str | bool, float], ...]
    meaning: str
    default: float | None = None


@dataclass(frozen=True)
class ElementLaw:
    """An element by name; `own` are its own unknowns with their units.

    `states` are those own unknowns that change in time, with the parameter that is their
    value at the start. They are dimensionless and of order one: an error of 1e-3 counts as
    much as one of 1 mV of a voltage. `events` happen to the element at random.
    `inputs` are those parameters that a protocol may change, `paths` the pairs of
    terminals between which a steady current can flow.
    """

    name: str
    function: Function
    terminals: tuple[str, ...]
    own: tuple[tuple[str, str], ...]
    parameters: tuple[Parameter | Choice, ...]
    inputs: tuple[str, ...]
    paths: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...] = ()
    events: tuple[RandomEvent, ...] = ()

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]


_ELEMENTS: dict[str, ElementLaw] = {}
TWO = ("a", "b")


def element(
    name: str,
    *parameters: Parameter | Choice,
    terminals: tuple[str, ...] = TWO,
    own: tuple[tuple[str, str], ...] = (),
    inputs: tuple[str, ...] = (),
    paths: tuple[tuple[str, str], ...] = (),
    states: tuple[tuple[str, str], ...] = (),
    events: tuple[RandomEvent, ...] = (),
) -> Callable[[Function], Function]:
    """Register the decorated function as an element; the function itself is unchanged."""

    def register(function: Function) -> Function:
        if name in _ELEMENTS:
            raise ValueError(f"element {name!r} is registered twice")
        _ELEMENTS[name] = ElementLaw(
            name, function, terminals, own, parameters, inputs, paths, states, events
        )
        return function

    return register


def elements() -> dict[str, ElementLaw]:
    """Return all elements by name, in order of registration."""
    return dict(_ELEMENTS)
