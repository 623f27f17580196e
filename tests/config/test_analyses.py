"""Surface analyses that a case asks for: read with their setups, checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from shutil import copy

import pytest

import ionstack
from ionstack.casefile.case import load_case
from ionstack.errors import InputError
from ionstack.runs.check import describe
from ionstack.surface_analysis.setup import load_setup

_MATERIALS = Path(ionstack.__file__).parent / "data/materials"


def with_section(case: Path, section: str) -> Path:
    case.write_text(f"{case.read_text()}\ninstruments: {section}\n")
    return case


def test_an_entry_brings_its_setup_and_what_is_wanted(files):
    (files[0].parent / "ours.yaml").write_text(
        "title: ours\nkind: tof_sims\nsputter: {rate: 0.1 nm/s, cycle: 3 s}\n"
        "signals: {Li+: {of: Li, source: assumed}}\ncounting: {counts: 100}\n"
    )
    section = (
        "[iv, {kind: tof_sims, name: b, setup: ours.yaml, states: [start, 500 ms], map: true}, xps]"
    )
    case = load_case(with_section(files[0], section))
    assert [one.kind for one in case.instruments] == ["iv"]
    ours, xps = case.analyses
    assert ours.setup.given.title == "ours"
    assert ours.order.states == ("start", "0.5")
    assert ours.order.maps
    assert (ours.order.folder, xps.order.folder) == ("sims/b", "sims")
    assert xps.setup.name == "xps_al_ka"
    printed = describe(case)
    assert "ours.yaml of start, 0.5: all its signals; a map\n" in printed
    assert "  xps_al_ka of end: all its signals\n" in printed


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ("kind: tof_simz", "did you mean 'tof_sims'?"),
        ("kind: tof_sims, state: end", "unknown key; allowed: kind, name, setup, states"),
        ("kind: tof_sims, setup: tof_sims_c6", "did you mean 'tof_sims_c60'?"),
        ("kind: tof_sims, setup: xps_al_ka", "xps_al_ka is a setup of xps"),
        ("kind: tof_sims, states: edn", "unknown state 'edn'; allowed: start, most negative"),
        ("kind: tof_sims, states: [1 h]", "1 h: the protocol takes from 0 s to "),
        ("kind: tof_sims, signals: [Li]", "unknown signal 'Li'"),
        ("kind: tof_sims, without: [matrx]", "did you mean 'matrix'?"),
        ("kind: tof_sims, map: 3", "expected true or false"),
        ("kind: tof_sims, name: a/b", "name"),
        ("kind: tof_sims, states: end, measured: m.csv", "m.csv: no such file"),
        ("kind: tof_sims, states: end, measured: bad.csv", "unknown column 'Liq'"),
        ("kind: tof_sims, measured: good.csv", "is compared with one state"),
        ("kind: tof_sims, setup: bad.yaml", "sputter.rate: must be greater than 0"),
    ],
)
def test_a_mistake_is_named_with_its_place(files, entry, answer):
    folder = files[0].parent
    (folder / "bad.csv").write_text("depth [nm],Liq\n1,2\n")
    (folder / "good.csv").write_text("depth [nm],Li+\n1,2\n")
    setup = "title: bad\nkind: tof_sims\nsputter: {rate: -1 nm/s, cycle: 3 s}\n"
    setup += "signals: {Li+: {of: Li, source: assumed}}\ncounting: {counts: 100}\n"
    (folder / "bad.yaml").write_text(setup)
    with pytest.raises(InputError) as caught:
        load_case(with_section(files[0], f"[{{{entry}}}]"))
    line = files[0].read_text().count("\n")
    assert f"case.yaml:{line}:" in str(caught.value)
    assert "instruments.0" in str(caught.value)
    assert answer in str(caught.value)


def test_what_the_setup_does_not_know_of_the_device(files):
    stack = files[1]
    own = stack.parent / "materials"
    own.mkdir()
    copy(_MATERIALS / "Pt.yaml", own / "Au.yaml")
    stack.write_text(stack.read_text().replace("name: Pt, material: Pt", "name: Pt, material: Au"))
    with pytest.raises(InputError) as caught:
        load_case(with_section(files[0], "[tof_sims]"))
    assert "instruments.0.setup: tof_sims_c60: materials: unknown material 'Au'" in str(
        caught.value
    )
    lacks = list(load_setup("tof_sims_c60").lacking(["WO3"], ["Li+", "Lj+"]))
    assert len(lacks) == 1
    assert "unknown species of the run 'Lj+'" in lacks[0]
    assert "did you mean 'Li+'?" in lacks[0]


def test_fields_are_needed(files):
    case = with_section(files[0], "[tof_sims]\noutput: {snapshots: none}")
    with pytest.raises(InputError, match="looks at fields, which"):
        load_case(case)


def test_two_of_a_kind_need_names(files):
    with pytest.raises(InputError, match="give it a 'name'"):
        load_case(with_section(files[0], "[tof_sims, {kind: tof_sims, setup: tof_sims_cs}]"))


def test_with_names_they_have_folders_of_their_own(files):
    section = "[tof_sims, {kind: tof_sims, setup: tof_sims_cs, name: cs}, xps]"
    found = [one.order.folder for one in load_case(with_section(files[0], section)).analyses]
    assert found == ["sims", "sims/cs", "sims"]
