"""YAML with places: marks, limits, refusals, merging, settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.errors import InputError
from ionstack.reading.yaml_source import (
    Mark,
    merged,
    parse_yaml,
    read_yaml,
    setting,
    with_settings,
)


def test_every_key_and_value_keeps_its_place() -> None:
    node = parse_yaml("a:\n  - name: x\n    size: 3 nm\n", "f.yaml")
    assert node.place(("a", 0, "size")) == Mark("f.yaml", 3, 11)
    assert node.place(("a", 0, "size"), of_key=True) == Mark("f.yaml", 3, 5)
    assert node.plain() == {"a": [{"name": "x", "size": "3 nm"}]}


def test_a_missing_entry_is_placed_at_what_encloses_it() -> None:
    node = parse_yaml("a:\n  b: {c: 1}\n", "f.yaml")
    assert node.place(("a", "b", "missing", "deeper")) == Mark("f.yaml", 2, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-9", 1e-9),
        ("3", 3),
        ("true", True),
        ("~", None),
        ("", None),
        (".nan", "nan"),
        ("on", "on"),
        ("NO", "NO"),
        ("1d", "1d"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("'3'", "3"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = parse_yaml(f"a: {text}", "f").plain()["a"]
    assert (str(found) if value == "nan" else found) == value


def test_aliases_are_copied() -> None:
    node = parse_yaml("a: &x {k: 1}\nb: *x\n", "f")
    assert node.plain() == {"a": {"k": 1}, "b": {"k": 1}}


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(9):
        lines.append(f"a{i + 1}: &a{i + 1} [" + ", ".join([f"*a{i}"] * 10) + "]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system ['true']", "python/object/apply:os.system' is not"),
        ("a: !!python/name:os.system ''", "f:1:4: the tag"),
        ("a: !mine 3", "the tag '!mine' is not allowed"),
        ("a: !!binary aGk=", "is not allowed; files hold plain data only"),
        ("a: !!set {x, y}", "is not allowed"),
        ("a: !!int x", "'x' is not a number"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1: a: duplicate key; first given in line 1"),
        ("a: [1, 2\nb: 3\n", "f:2:2: YAML syntax"),
        ("a: b: c\n", "f:1:5: YAML syntax: mapping values are not allowed here"),
        ("a:\n\t- b\n", "YAML syntax: found character '\\t'"),
        ("a: *x\n", "YAML syntax: found undefined alias"),
        ("a: &x [*x]", "nested too deeply"),
        ("--- a\n--- b\n", "YAML syntax"),
        ("? [1, 2]\n: 3\n", "a key must be a plain word"),
        ("[" * 3000, "nested too deeply"),
        ("a: \x00", "not YAML text"),
        (_bomb(), "too large or nested too deeply"),
        ("a: 1" + "0" * 5000, "is not a number"),
    ],
)
def test_refusals_name_the_place(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_yaml(text, "f")
    assert message in str(raised.value)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "analog.yaml").write_text("a: 1")
    with pytest.raises(InputError, match=r"analogue\.yaml: no such file \(did you mean 'analog"):
        read_yaml(tmp_path / "analogue.yaml")
    with pytest.raises(InputError, match=r"no such file; the folder .* does not exist"):
        read_yaml(tmp_path / "nowhere" / "a.yaml")


def test_a_folder_and_binary_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_yaml(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(InputError, match="not a text file in UTF-8"):
        read_yaml(tmp_path / "b.yaml")


@pytest.mark.parametrize("text", ["", "- a\n", "word\n"])
def test_the_top_level_must_be_a_mapping(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match="expected keys and values"):
        read_yaml(tmp_path / "a.yaml")


def test_mappings_merge_and_lists_are_replaced() -> None:
    base = parse_yaml("a: {x: 1, y: 2}\nl: [1, 2]\n", "base")
    top = parse_yaml("a: {y: 3}\nl: [4]\n", "top")
    result = merged(base, top)
    assert result.plain() == {"a": {"x": 1, "y": 3}, "l": [4]}
    assert result.place(("a", "x")).file == "base"
    assert result.place(("a", "y")).file == "top"


def test_another_kind_replaces_the_whole_law() -> None:
    base = parse_yaml("{kind: lattice_gas, site_density: 1}", "base")
    assert merged(base, parse_yaml("{kind: other}", "top")).plain() == {"kind": "other"}


def test_a_new_value_does_not_keep_the_old_source() -> None:
    base = parse_yaml("{value: 1 m, source: old}", "base")
    assert merged(base, parse_yaml("{value: 2 m}", "top")).plain() == {"value": "2 m"}


def test_a_setting_enters_lists_by_index_and_by_name() -> None:
    node = parse_yaml("layers: [{name: A, t: 1}, {name: B, t: 2}]", "f")
    node = with_settings(node, [setting("layers.0.t=5"), setting("layers.B.t=6 nm")])
    assert [layer["t"] for layer in node.plain()["layers"]] == [5, "6 nm"]


def test_a_number_set_on_the_command_line_states_its_origin() -> None:
    node = parse_yaml("d: {value: 1 m, source: a paper, valid: here}", "f")
    node = with_settings(node, [setting("d=2 m")])
    assert node.plain()["d"] == {
        "value": "2 m",
        "source": "--set d=2 m",
        "fitted": True,
        "valid": "here",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("temperature", "write it as dotted.key=value"),
        ("=3", "write it as dotted.key=value"),
        ("a..b=3", "write it as dotted.key=value"),
        ("l.7.t=1", "unknown entry; allowed: 0, 1, A, B"),
        ("l.AA.t=1", "(did you mean 'A'?)"),
        ("s.deeper=1", "'text' has no key 'deeper' below it"),
        ("s=[1", "YAML syntax"),
    ],
)
def test_a_wrong_setting_is_explained(text: str, message: str) -> None:
    node = parse_yaml("l: [{name: A}, {name: B}]\ns: text\n", "f")
    with pytest.raises(InputError) as raised:
        with_settings(node, [setting(text)])
    assert message in str(raised.value)
    assert f"--set {text}" in str(raised.value)
