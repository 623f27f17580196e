"""Strict models of the files, and their mistakes in the words of the files.

Every model refuses keys it does not know. What pydantic finds is reported per
place in the file, with the allowed names and the nearest one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from ionstack.errors import nearest
from ionstack.physics.bounds import ANY, POSITIVE, Bounds
from ionstack.reading.units import parse
from ionstack.reading.yaml_source import Keys, Node, Problem, raise_problems, unknown


class Strict(BaseModel):
    """A section of a file: only its own keys, immutable once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    @model_validator(mode="wrap")
    @classmethod
    def _name_unknown_keys(cls, data: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        try:
            result: Self = handler(data)
        except ValidationError as error:
            raise reworded(error, partial(_reworded_key, keys=known_keys(cls))) from None
        return result


class Origin(Strict):
    """Where a number or a curve is from; `fitted` marks what no source gives."""

    source: Annotated[str, Field(min_length=1)]
    fitted: Annotated[bool, Field(strict=True)] = False
    valid: str = ""


Model = TypeVar("Model", bound=BaseModel)


def known_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys that a section may have, as written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def validated(model: type[Model], node: Node, at: Keys = ()) -> Model:
    """Check a located tree against a model; raise all problems as one `InputError`.

    `at` are the keys under which the tree stands in its file.
    """
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        raise_problems(problem(node, details, at) for details in error.errors(include_url=False))
        raise AssertionError("a validation error without details") from error


def problem(node: Node, details: ErrorDetails, at: Keys = ()) -> Problem:
    """Turn one finding of pydantic into a `Problem` with its place in the file."""
    keys = tuple(details["loc"])
    of_key = details["type"] in ("unknown_key", "unknown_name")
    return Problem(node.place(keys, of_key=of_key), at + keys, _message(details))


def reworded(
    error: ValidationError, word: Callable[[ErrorDetails], PydanticCustomError | None]
) -> ValidationError:
    """Return the same error with those findings reworded for which `word` answers."""
    lines = [_line(details, word(details)) for details in error.errors(include_url=False)]
    return ValidationError.from_exception_data(error.title, lines)


def failure(kind: str, message: str) -> PydanticCustomError:
    """Make an error with a fixed text (braces in it have no meaning)."""
    return PydanticCustomError(kind, "{text}", {"text": message})


def failure_at(key: str | Keys, kind: str, message: str, found: object) -> ValidationError:
    """Make an error that stands at a key, or keys, of the mapping being read."""
    keys = (key,) if isinstance(key, str) else key
    line = InitErrorDetails(type=failure(kind, message), loc=keys, input=found)
    return ValidationError.from_exception_data(kind, [line])


def not_among(what: str, name: str, allowed: Sequence[str]) -> str:
    """Return ``unknown contact 'x'; allowed: a, b (did you mean 'a'?)``."""
    listed = ", ".join(allowed) if allowed else "none"
    return f"unknown {what} {name!r}; allowed: {listed}{nearest(name, allowed)}"


def _line(details: ErrorDetails, new: PydanticCustomError | None) -> InitErrorDetails:
    kept = new or failure(details["type"], _message(details))
    return InitErrorDetails(type=kept, loc=details["loc"], input=details["input"])


def _reworded_key(details: ErrorDetails, keys: list[str]) -> PydanticCustomError | None:
    if len(details["loc"]) != 1 or details["type"] not in ("extra_forbidden", "missing"):
        return None
    name = str(details["loc"][0])
    if details["type"] == "missing":
        return failure("missing_key", "missing")
    return failure("unknown_key", unknown("key", name, keys))


def _message(details: ErrorDetails) -> str:
    if "text" in details.get("ctx", {}):
        return str(details["ctx"]["text"])
    found = _shown(details["input"])
    expected = {
        "model_type": "expected keys and values (key: value)",
        "model_attributes_type": "expected keys and values (key: value)",
        "dict_type": "expected keys and values (key: value)",
        "tuple_type": "expected a list",
        "list_type": "expected a list",
        "string_type": "expected text",
        "int_type": "expected a whole number",
        "int_parsing": "expected a whole number",
        "int_from_float": "expected a whole number",
        "bool_type": "expected true or false",
        "bool_parsing": "expected true or false",
        "float_type": "expected a number",
        "float_parsing": "expected a number",
        "missing": "missing",
    }.get(details["type"])
    if details["type"] == "literal_error":
        return _literal_message(details)
    if details["type"] == "missing" or expected is None:
        return expected or details["msg"].removeprefix("Value error, ")
    return f"{expected}, found {found}"


def _literal_message(details: ErrorDetails) -> str:
    expected = str(details["ctx"]["expected"]).replace(" or ", ",").split(",")
    allowed = [part.strip(" '") for part in expected]
    name = str(details["input"])
    return f"{name!r} is not allowed; allowed: {', '.join(allowed)}{nearest(name, allowed)}"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else repr(value)


def quantity(unit: str, bounds: Bounds = ANY) -> BeforeValidator:
    """Make the reader of a number with unit, as a field's annotation."""
    return BeforeValidator(partial(read_quantity, unit=unit, bounds=bounds))


def read_quantity(text: object, unit: str, bounds: Bounds = ANY) -> float:
    """Read one quantity in `unit`; raise the error of a bad or out-of-range value."""
    try:
        value = parse(text, unit)
    except ValueError as error:
        raise failure("quantity", str(error)) from None
    complaint = bounds.complaint(value, unit)
    if complaint is not None:
        raise failure("range", f"{complaint}, found {str(text)!r}")
    return value


PositiveLength = Annotated[float, quantity("m", POSITIVE)]
PositiveTime = Annotated[float, quantity("s", POSITIVE)]
PositiveVoltage = Annotated[float, quantity("V", POSITIVE)]
Voltage = Annotated[float, quantity("V")]
Temperature = Annotated[float, quantity("K", POSITIVE)]
