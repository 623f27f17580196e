"""A reaction between species of a material, as given in a file.

The equation says how many particles one event takes and makes::

    equation: 2 Li+ + e- <=> A

Names and counts stand apart by blanks, either side may be empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import PlainValidator

from ionstack.physics.bounds import NOT_NEGATIVE
from ionstack.reading.curve_choice import FOCUS, CurveChoice, read_curve
from ionstack.reading.law_choice import LawChoice, read_law, registered
from ionstack.reading.schema import failure, failure_at, not_among

_ARROW = "<=>"
_MOST = 8  # particles of one species on a side

Side = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ReactionChoice:
    """A reaction's equation, the particles that it takes and makes, and its law.

    `focus` multiplies the field that the law reads, by place.
    """

    equation: str
    left: Side
    right: Side
    law: LawChoice
    focus: CurveChoice | None = None

    @property
    def species(self) -> tuple[str, ...]:
        """Names of all species of the equation."""
        return tuple(dict.fromkeys(name for name, _ in (*self.left, *self.right)))

    def unknown(self, held: Sequence[str]) -> str | None:
        """Return what is wrong with the names, if a material holds only these."""
        strange = [name for name in self.species if name not in held]
        return not_among("species", strange[0], held) if strange else None

    def surplus(self, valences: Mapping[str, int]) -> str | None:
        """Return what is wrong with the charges, which both sides must share."""
        sums = [sum(n * valences[name] for name, n in side) for side in (self.left, self.right)]
        if sums[0] == sums[1]:
            return None
        return f"charge is not conserved: {sums[0]:+d} on the left, {sums[1]:+d} on the right"


def reaction_choice() -> PlainValidator:
    """Make the reader of a reaction: an equation, and a law with its parameters."""
    return PlainValidator(_read)


def _read(data: object) -> ReactionChoice:
    if isinstance(data, ReactionChoice):
        return data
    if not isinstance(data, dict):
        raise failure("reaction", f"expected 'equation:' and 'kind:', found {data!r}")
    law = read_law(data, "reaction")
    text = " ".join(str(data["equation"]).split())
    try:
        left, right = read_equation(text)
        _check_pair(law.kind, left, right)
    except ValueError as error:
        raise failure_at("equation", "equation", str(error), text) from None
    focus = data.get("focus")
    given = None if focus is None else read_curve(focus, FOCUS, NOT_NEGATIVE)
    return ReactionChoice(text, left, right, law, given)


def read_equation(text: str) -> tuple[Side, Side]:
    """Return both sides of an equation; raise `ValueError` with a sentence for the user."""
    sides = text.split(_ARROW)
    if len(sides) != 2:
        raise ValueError(f"expected one '{_ARROW}' between two sides, found {text!r}")
    left, right = (tuple(_terms(side)) for side in sides)
    if sorted(left) == sorted(right):
        raise ValueError(f"{text!r} changes nothing")
    return left, right


def _terms(side: str) -> Iterator[tuple[str, int]]:
    """Terms ``[count] name`` of a side, joined by ``+``; each name once."""
    words, seen = side.split(), set[str]()
    while words:
        count = _count(words.pop(0)) if words[0].isdecimal() else 1
        if not words or words[0] == "+":
            raise ValueError(f"expected a species in {side.strip()!r}")
        name = words.pop(0)
        if name in seen:
            raise ValueError(f"{name} stands twice on a side; write '2 {name}'")
        seen.add(name)
        yield name, count
        if words and (words.pop(0) != "+" or not words):
            raise ValueError(f"expected '+' and a species after {name!r} in {side.strip()!r}")


def _count(word: str) -> int:
    if not 1 <= int(word) <= _MOST:
        raise ValueError(f"a count must lie between 1 and {_MOST}, found {word}")
    return int(word)


def _check_pair(kind: str, left: Side, right: Side) -> None:
    if registered("reaction")[kind].pair and (right or [n for _, n in left] != [1, 1]):
        raise ValueError(f"{kind} takes one particle each of two species: 'e- + h+ {_ARROW}'")
