"""What the durations of steps are compared with: closed forms of the case's own numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import jax.numpy as jnp
from pydantic import Field

from ionstack.casefile.dotted_keys import number_at
from ionstack.reading.formula import Formula
from ionstack.reading.schema import Strict
from ionstack.reading.units import in_si
from ionstack.reading.yaml_source import Node, Problem


class ReferenceModel(Strict):
    """A formula for the duration of a step [s], in the file.

    `arguments` names the numbers of the formula by dotted keys of the case; they enter in SI units.
    """

    label: Annotated[str, Field(min_length=1)]
    formula: str
    arguments: dict[str, str] = Field(default_factory=dict)


def reference_values(
    node: Node, given: Mapping[str, Sequence[ReferenceModel]]
) -> Iterator[tuple[str, float] | Problem]:
    """Yield name and value of every reference for the summary, or what is wrong with one.

    `given` is the section ``references`` of the case with the tree `node`, by names of steps.
    """
    for step, references in given.items():
        for number, one in enumerate(references):
            try:
                yield f"reference.{step}.{one.label} [s]", _value(node, one)
            except ValueError as error:
                keys = ("references", step, number)
                yield Problem(node.place(keys), keys, str(error))


def _value(node: Node, given: ReferenceModel) -> float:
    formula = Formula(given.formula, tuple(given.arguments))
    numbers = (in_si(number_at(node, key)) for key in given.arguments.values())
    return float(formula(*(jnp.asarray(one) for one in numbers)))
