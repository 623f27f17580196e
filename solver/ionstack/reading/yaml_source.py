"""YAML with its places: every key and value keeps file, line and column.

Only plain data is understood: mappings, lists, strings, numbers, truth values.
Tags (``!!python/...``) are refused, keys may not repeat, and aliases are copied
up to a limit, so that reading a file can neither run code nor exhaust memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ionstack.errors import InputError, nearest

Keys = tuple[str | int, ...]
Scalar = str | int | float | bool | None

_MAX_NODES = 100_000
_MAX_DEPTH = 60
_MAX_BYTES = 10_000_000
# The keys of which one says what a number or curve is; its source stands beside it.
_GIVEN = ("value", "formula", "table")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Mark:
    """A place in a file; line and column count from 1, line 0 means no file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Node:
    """A value of a YAML file with the place of the value and of its key."""

    content: Scalar | Mapping[str, Node] | tuple[Node, ...]
    mark: Mark
    key_mark: Mark | None = None

    def plain(self) -> Any:
        """Return the data without places, as dict, list and scalars."""
        if isinstance(self.content, Mapping):
            return {key: node.plain() for key, node in self.content.items()}
        if isinstance(self.content, tuple):
            return [node.plain() for node in self.content]
        return self.content

    def child(self, key: str | int) -> Node | None:
        """Return the entry of that key or index, or None."""
        if isinstance(self.content, Mapping):
            return self.content.get(str(key))
        if isinstance(self.content, tuple) and isinstance(key, int):
            return self.content[key] if 0 <= key < len(self.content) else None
        return None

    def find(self, keys: Keys) -> Node | None:
        """Return the entry that `keys` lead to, or None."""
        node: Node | None = self
        for key in keys:
            node = node.child(key) if node is not None else None
        return node

    def place(self, keys: Keys, *, of_key: bool = False) -> Mark:
        """Return the place of an entry, or of the closest enclosing one."""
        node = self
        for key in keys:
            inner = node.child(key)
            if inner is None:
                return node.key_mark or node.mark
            node = inner
        return node.key_mark if of_key and node.key_mark else node.mark


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands, under which key, and what is wrong."""

    mark: Mark
    keys: Keys
    message: str

    def __str__(self) -> str:
        key = ".".join(str(part) for part in self.keys)
        return ": ".join(part for part in (str(self.mark), key, self.message) if part)


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise one `InputError` with all problems, one per line in file order."""
    found = sorted(set(problems), key=lambda p: (p.mark.file, p.mark.line, p.mark.column, str(p)))
    if found:
        raise InputError("\n".join(str(problem) for problem in found))


def unknown(what: str, name: str, allowed: Sequence[str]) -> str:
    """Return ``unknown key; allowed: a, b (did you mean 'a'?)``."""
    listed = ", ".join(allowed) if allowed else "none"
    return f"unknown {what}; allowed: {listed}{nearest(name, allowed)}"


def read_yaml(path: Path) -> Node:
    """Read one YAML file into a located tree; its top level must be a mapping.

    Raises `InputError` for a missing or unreadable file and for YAML mistakes.
    """
    node = parse_yaml(read_text(path), str(path))
    if not isinstance(node.content, Mapping):
        raise InputError(f"{node.mark}: expected keys and values (key: value), found {_kind(node)}")
    return node


def read_text(path: Path) -> str:
    """Return a file's text, or raise an `InputError` that says why not."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            limit = _MAX_BYTES // 1_000_000
            raise InputError(f"{path}: larger than {limit} MB; is this the right file?")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(missing_file(path)) from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, not a file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read: {reason}") from None


def parse_yaml(text: str, file: str) -> Node:
    """Parse YAML text into a located tree; `file` is the name used in messages."""
    try:
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_message(error, file)) from None
    except yaml.YAMLError as error:
        raise InputError(f"{file}: not YAML text: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InputError(f"{file}: nested too deeply") from None
    if root is None:
        return Node(None, Mark(file, 1, 1))
    return _Builder(file).build(root, None, 0)


def merged(base: Node | None, overlay: Node) -> Node:
    """Lay one tree over another: mappings merge, anything else is replaced.

    A mapping with another ``kind`` replaces the whole mapping, because the
    parameters of one law mean nothing to another. A new ``value``, ``formula`` or
    ``table`` replaces the old one of these, with the ``source`` that stood beside it.
    """
    if base is None or not isinstance(base.content, Mapping):
        return overlay
    if not isinstance(overlay.content, Mapping):
        return _new_value(base, overlay)
    if _changes_kind(base, overlay):
        return overlay
    content = dict(base.content)
    if any(key in overlay.content for key in _GIVEN):
        for key in (*_GIVEN, "unit", "source"):
            content.pop(key, None)
    for key, node in overlay.content.items():
        content[key] = merged(content.get(key), node)
    return replace(base, content=_with_source(content, overlay))


def with_settings(root: Node, settings: Iterable[tuple[Sequence[str], Node]]) -> Node:
    """Return the tree with entries set; lists are entered by index or by entry name.

    Raises `InputError` where keys lead into a list entry that is not there or
    below a plain value.
    """
    for keys, value in settings:
        root = _with_setting(root, keys, value)
    return root


def _with_setting(root: Node, keys: Sequence[str], value: Node) -> Node:
    if not keys:
        return merged(root, value)
    key, rest = keys[0], keys[1:]
    if isinstance(root.content, tuple):
        index = _entry_index(root.content, key, value.mark)
        inner = _with_setting(root.content[index], rest, value)
        return replace(root, content=(*root.content[:index], inner, *root.content[index + 1 :]))
    if root.content is not None and not isinstance(root.content, Mapping):
        raise InputError(f"{value.mark}: {root.content!r} has no key {key!r} below it")
    old = dict(root.content or {})
    start = old.get(key, Node(None, value.mark, value.mark))
    return replace(root, content={**old, key: _with_setting(start, rest, value)})


def setting(text: str) -> tuple[list[str], Node]:
    """Split ``dotted.key=value`` into its keys and the value as a located tree."""
    key, equals, value = text.partition("=")
    file = f"--set {text}"
    if not equals or not key.strip() or not all(key.strip().split(".")):
        raise InputError(f"{file}: write it as dotted.key=value, for instance temperature=320 K")
    node = parse_yaml(value, file)
    return key.strip().split("."), _without_lines(node, Mark(file))


def _core_types() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    patterns = (
        ("bool", r"true|True|false|False", "tTfF"),
        ("null", r"~|null|Null|", ["~", "n", "N", ""]),
        ("int", r"[+-]?\d+", "+-0123456789"),
        ("float", r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?\.inf|\.nan", "+-.0123456789"),
    )
    types: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, pattern, first_characters in patterns:
        for first in first_characters:
            types.setdefault(first, []).append((_TAG + name, re.compile(f"^(?:{pattern})$")))
    return types


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader with the YAML 1.2 core types: ``on`` stays a word, 1e-9 is a number."""

    yaml_implicit_resolvers = _core_types()


class _Builder:
    """Turns PyYAML nodes of one file into `Node`s, with limits on size and depth."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0

    def build(self, node: yaml.Node, key_mark: Mark | None, depth: int) -> Node:
        mark = self._mark(node)
        self._count += 1
        if self._count > _MAX_NODES or depth > _MAX_DEPTH:
            raise InputError(f"{mark}: too large or nested too deeply (are there aliases in it?)")
        if isinstance(node, yaml.ScalarNode):
            return Node(self._scalar(node, mark), mark, key_mark)
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            raise InputError(_refused(node.tag, mark))
        if isinstance(node, yaml.SequenceNode):
            entries = tuple(self.build(item, None, depth + 1) for item in node.value)
            return Node(entries, mark, key_mark)
        assert isinstance(node, yaml.MappingNode)
        return Node(dict(self._entries(node, depth)), mark, key_mark)

    def _entries(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, Node]]:
        seen: dict[str, Mark] = {}
        for key, value in node.value:
            mark = self._mark(key)
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{mark}: a key must be a plain word")
            if key.value in seen:
                first = seen[key.value].line
                raise InputError(f"{mark}: {key.value}: duplicate key; first given in line {first}")
            seen[key.value] = mark
            yield key.value, self.build(value, mark, depth + 1)

    def _scalar(self, node: yaml.ScalarNode, mark: Mark) -> Scalar:
        text = node.value
        match node.tag.removeprefix(_TAG):
            case "str":
                return str(text)
            case "null":
                return None
            case "bool":
                return str(text).lower() == "true"
            case "int" | "float" as kind:
                return _number(text, kind, mark)
            case _:
                raise InputError(_refused(node.tag, mark))

    def _mark(self, node: yaml.Node) -> Mark:
        return Mark(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _refused(tag: str, mark: Mark) -> str:
    return f"{mark}: the tag {tag!r} is not allowed; files hold plain data only"


def _number(text: str, kind: str, mark: Mark) -> int | float:
    try:
        if kind == "int":
            return int(text)
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise InputError(f"{mark}: {text!r} is not a number") from None


def missing_file(path: Path) -> str:
    """Return the sentence for a file that is not there, with the nearest name beside it."""
    try:
        near = nearest(path.name, sorted(entry.name for entry in path.parent.iterdir()))
    except OSError:
        near = f"; the folder {str(path.parent)!r} does not exist"
    return f"{path}: no such file{near}"


def _syntax_message(error: yaml.MarkedYAMLError, file: str) -> str:
    at = error.problem_mark or error.context_mark
    mark = Mark(file, at.line + 1, at.column + 1) if at else Mark(file)
    context = f" ({error.context})" if error.context else ""
    return f"{mark}: YAML syntax: {error.problem or 'cannot be read'}{context}"


def _kind(node: Node) -> str:
    if isinstance(node.content, tuple):
        return "a list"
    return "nothing" if node.content is None else repr(node.content)


def _changes_kind(base: Node, overlay: Node) -> bool:
    old, new = base.child("kind"), overlay.child("kind")
    return old is not None and new is not None and old.content != new.content


def _new_value(base: Node, overlay: Node) -> Node:
    """A bare number set from the command line replaces value and source of a record."""
    if all(base.child(key) is None for key in _GIVEN) or overlay.mark.line:
        return overlay
    return merged(base, replace(overlay, content={"value": overlay}))


def _with_source(content: Mapping[str, Node], overlay: Node) -> Mapping[str, Node]:
    given = (node for key in _GIVEN if (node := overlay.child(key)) is not None)
    value = next(given, None)
    if value is None or value.mark.line or "source" in content:
        return content
    source, fitted = Node(value.mark.file, value.mark), Node(True, value.mark)
    return {**content, "source": source, "fitted": fitted}


def _entry_index(entries: tuple[Node, ...], key: str, mark: Mark) -> int:
    named = {
        str(node.content): index
        for index, entry in reversed(list(enumerate(entries)))
        if (node := entry.child("name"))
    }
    if key in named:
        return named[key]
    if key.isdecimal() and int(key) < len(entries):
        return int(key)
    numbers = [str(index) for index in range(len(entries))]
    raise InputError(f"{mark}: {key}: {unknown('entry', key, [*numbers, *reversed(named)])}")


def _without_lines(node: Node, mark: Mark) -> Node:
    content = node.content
    if isinstance(content, Mapping):
        content = {key: _without_lines(inner, mark) for key, inner in content.items()}
    elif isinstance(content, tuple):
        content = tuple(_without_lines(inner, mark) for inner in content)
    return Node(content, mark, mark)
