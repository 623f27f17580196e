"""The section nucleation of a case, and steps that wait for its events."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.errors import InputError

LAW = (
    "{kind: field_power, prefactor: {value: 1e20 1/(m^2*s), source: x}, "
    "nucleation_field: {value: 2e8 V/m, source: x}}"
)
CAP = (
    "{kind: cap, couples: %s, face_sites: {value: 1e19 1/m^2, source: x}, "
    "attempt_frequency: {value: 1e12 1/s, source: x}, tension: {value: 0.5 J/m^2, source: x}, "
    "atomic_volume: {value: 2.1e-29 m^3, source: x}, contact_angle: {value: 90 deg, source: x}}"
)
SCATTER = "{site_density: {value: 1e12 1/m^2, source: x}, normal: {value: 50 meV, source: x}}"
NUCLEUS = "{species: %s, radius: {value: 1 nm, source: x}, bias: {value: 0.3 eV, source: x}}"
SWEEP = "sweep: {contact: Pt, amplitude: -1 V, rate: 1 V/s, cycles: 5}"


def with_section(files: tuple[Path, Path], section: str, event: str = "") -> Path:
    text = files[0].read_text()
    if event:
        text = text.replace(SWEEP, f"{SWEEP}\n    until: {{event: {event}}}", 1)
    files[0].write_text(f"{text}\nnucleation:\n  {section}\n")
    return files[0]


def test_everything_is_read_with_its_source(files: tuple[Path, Path]) -> None:
    section = (
        f"Pt: {{law: {CAP % 'Li+'}, focus: {{value: 2, source: x}}, scatter: {SCATTER}, "
        f"nucleus: {NUCLEUS % 'Li+'}}}"
    )
    case = load_case(with_section(files, section, "Pt.nucleation"))
    found = case.nucleation["Pt"]
    assert found.law.couples == "Li+"
    assert found.law.values["contact_angle"].value == pytest.approx(1.5707963267948966)
    assert case.random
    used = {one.path for one in values_used(case)}
    assert {"cap.tension", "focus", "scatter.normal", "scatter.site_density"} <= used
    assert {"nucleus.radius", "nucleus.bias"} <= used
    assert case.protocol.laid[0].limits[0].describe() == "event Pt.nucleation"


@pytest.mark.parametrize(
    ("section", "event", "answer"),
    [
        (f"Au: {{law: {LAW}}}", "", r"nucleation.Au: unknown contact 'Au'; allowed: Pt, ITO"),
        (f"Pt: {{law: {CAP % 'Ag+'}}}", "", r"law.couples: unknown species 'Ag\+'"),
        (f"Pt: {{law: {LAW.replace('power', 'powr')}}}", "", "did you mean 'field_power'"),
        (
            f"Pt: {{law: {LAW}, nucleus: {NUCLEUS % 'Ag'}}}",
            "",
            r"nucleus.species: unknown species 'Ag'",
        ),
        (f"Pt: {{law: {LAW}}}", "Pt.nucleus", "until.event.*did you mean 'Pt.nucleation'"),
        (f"Pt: {{law: {LAW}}}", "ITO.nucleation", "unknown random event 'ITO.nucleation'"),
        (
            f"Pt: {{law: {LAW}, scatter: {{site_density: {{value: 1e12 1/m^2, source: x}}}}}}",
            "",
            "scatter normal or lognormal, one of them",
        ),
    ],
)
def test_mistakes_are_answered(files: tuple[Path, Path], section, event, answer) -> None:
    with pytest.raises(InputError, match=answer):
        load_case(with_section(files, section, event))


def test_an_event_of_nothing_random(files: tuple[Path, Path]) -> None:
    text = files[0].read_text()
    files[0].write_text(text.replace(SWEEP, f"{SWEEP}\n    until: {{event: Pt.nucleation}}", 1))
    with pytest.raises(InputError, match="nothing here is random"):
        load_case(files[0])
