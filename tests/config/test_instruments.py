"""The section `instruments` of a case: what it may say, and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ionstack.casefile.case import load_case
from ionstack.errors import InputError
from ionstack.instruments.catalogue import INSTRUMENTS, Request
from ionstack.measure.run import KINDS

_DOCUMENT = (Path(__file__).parents[2] / "docs/files.md").read_text()


def with_section(case: Path, section: str) -> Path:
    case.write_text(f"{case.read_text()}\ninstruments: {section}\n")
    return case


@pytest.mark.parametrize("section", ["auto", "[auto]", "[{kind: auto}]"])
def test_instruments_are_automatic_unless_said_otherwise(files, section):
    case, _ = files
    assert load_case(case).instruments == (Request("auto"),)
    assert load_case(with_section(case, section)).instruments == (Request("auto"),)


def test_none_switches_them_off(files):
    assert load_case(with_section(files[0], "none")).instruments == ()


def test_numbers_have_units_and_steps_names_or_numbers(files):
    section = "[iv, {kind: iv, step: 2, contact: ITO, read_voltage: 100 mV, compliance: 1 uA}]"
    first, second = load_case(with_section(files[0], section)).instruments
    assert first == Request("iv")
    assert second.steps == (2,)
    assert second.contact == "ITO"
    assert second.settings == pytest.approx({"read_voltage": 0.1, "compliance": 1e-6})


@pytest.mark.parametrize(
    ("section", "answer"),
    [
        ("[iw]", "instruments.0.kind: unknown instrument 'iw'; allowed: auto, iv, "),
        ("[iw]", "(did you mean 'iv'?)"),
        ("atuo", "unknown choice 'atuo'; allowed: auto, none (did you mean 'auto'?), or a list"),
        ("[{step: 1}]", "instruments.0.kind: missing; allowed: auto, iv"),
        ("[{kind: iv, step: 7}]", "instruments.0.step: unknown step '7'; allowed: 1, 2"),
        ("[{kind: iv, step: [1, 7]}]", "unknown step '7'"),
        ("[{kind: iv, step: {}}]", "expected the name or number of a step, or a list of them"),
        ("[{kind: iv, read_voltage: 1 A}]", "instruments.0.read_voltage: '1 A' is not a quantity"),
        ("[{kind: iv, read_voltage: 0 V}]", "instruments.0.read_voltage: must not be zero"),
        ("[{kind: iv, complianze: 1 A}]", "unknown key; allowed: kind, step, contact, read_"),
        ("[{kind: auto, step: 1}]", "instruments.0.step: unknown key"),
        ("[{kind: iv, contact: Au}]", "instruments.0.contact: unknown contact 'Au'"),
        ("[ltp]", "ltp looks at steps of the kind pulses; the protocol has none"),
        (
            "[auto, {kind: ltp, step: 1}]",
            "instruments.1.step: ltp looks at steps of the kind pulses; step 1 is sweep",
        ),
        ("[3]", "expected 'kind:' and its settings, found 3"),
    ],
)
def test_mistakes_are_answered_with_their_place(files, section, answer):
    case = with_section(files[0], section)
    line = len(case.read_text().splitlines())
    with pytest.raises(InputError) as error:
        load_case(case)
    assert answer in str(error.value)
    assert f"case.yaml:{line}:" in str(error.value)


def test_an_unknown_name_of_a_step_is_answered_with_the_nearest(files):
    case, _ = files
    sweep = {"contact": "Pt", "amplitude": "1 V", "rate": "1 V/s"}
    text = yaml.safe_load(case.read_text())
    text["protocol"] = [{"name": name, "sweep": sweep} for name in ("forming", "cycling")]
    text["instruments"] = [{"kind": "iv", "step": "cyclin"}]
    case.write_text(yaml.safe_dump(text))
    with pytest.raises(InputError) as error:
        load_case(case)
    assert (
        "instruments.0.step: unknown step 'cyclin'; allowed: forming, cycling, 1, 2 "
        "(did you mean 'cycling'?)"
    ) in str(error.value)


@pytest.mark.parametrize("kind", INSTRUMENTS.values(), ids=lambda kind: kind.name)
def test_settings_are_those_of_the_measured_kind(kind):
    measured = {setting.name: setting.unit for setting in KINDS[kind.name].settings}
    # The files of a run hold conductances; read_voltage is for other contacts than the pulsed.
    measured = {"read_voltage": "V", "delay": "s"} | measured
    assert {name: measured[name] for name in kind.settings} == dict(kind.settings)


@pytest.mark.parametrize("kind", INSTRUMENTS.values(), ids=lambda kind: kind.name)
def test_every_instrument_is_in_the_reference(kind):
    rows = [line for line in _DOCUMENT.splitlines() if line.startswith(f"| `{kind.name}` | ")]
    words = [f"`{word}`" for word in (*kind.fits, *kind.settings)]
    assert any(all(word in row for word in words) for row in rows)
