"""Steps laid into intervals: modes, limits, compliances, names, and what is known after each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ionstack.observing.step_observers import StepLines
from ionstack.protocols.drive import Interval, Limit
from ionstack.protocols.itinerary import MOST_LINES, Itinerary, Place
from ionstack.protocols.laid import Instruments, Span
from ionstack.protocols.protocol import Protocol, build_protocol
from ionstack.protocols.protocol_steps import (
    ChargeDischarge,
    Current,
    Entry,
    Hold,
    Pulses,
    Read,
    Repeat,
    Series,
    Spectrum,
    Step,
    Sweep,
    Switch,
)
from ionstack.protocols.surrounding_steps import Ambient, Warm
from ionstack.protocols.surroundings import Surroundings
from ionstack.runs.log import Log

NAN = np.nan
HOLD = Hold("Pt", 1.0, 2.0, 0.1)
SWEEP = Sweep("Pt", (2.0, -1.0), 0.5, 1)
ABOVE = Limit("current", 1e-4, True, "Pt")


def laid(*steps: Step | Entry) -> Protocol:
    return build_protocol(steps, ("Pt", "ITO"))


def given(one: Interval) -> tuple[float, list[float], list[float]]:
    return one.duration, one.begin.tolist(), one.end.tolist()


def same(one: Interval, duration: float, begin: list[float], end: list[float]) -> bool:
    ends = (one.begin, begin), (one.end, end)
    equal = all(np.array_equal(found, wanted, equal_nan=True) for found, wanted in ends)
    return equal and one.duration == pytest.approx(duration, rel=1e-14)


def modes(one: Interval) -> list[bool]:
    assert one.current is not None
    return [bool(flag) for flag in one.current]


def test_a_current_is_one_interval_in_its_mode_with_its_cut_off() -> None:
    (one,) = laid(Current("Pt", -2e-6, 30.0, cutoff=-0.5)).laid
    assert given(one) == (30.0, [-2e-6, 0.0], [-2e-6, 0.0])
    assert modes(one) == [True, False]
    assert one.limits == (Limit("voltage", -0.5, False, "Pt", first=0, following=1),)
    assert one.forced
    assert one.swing == 0.0


def test_the_side_of_a_cut_off_follows_the_sign_of_the_current() -> None:
    assert [
        laid(Current("Pt", sign * 1e-6, 1.0, 0.3)).laid[0].limits[0].above for sign in (1, -1)
    ] == [True, False]


def test_after_a_current_everything_begins_at_the_present_voltage() -> None:
    current = Current("Pt", 1e-6, 10.0)
    _, rise, stay = laid(current, HOLD).laid
    assert same(rise, 0.1, [NAN, 0.0], [1.0, 0.0])
    assert same(stay, 1.9, [1.0, 0.0], [1.0, 0.0])
    assert modes(rise) == [False, False]
    _, approach, *_ = laid(current, SWEEP).laid
    assert same(approach, 0.0, [NAN, 0.0], [0.0, 0.0])
    assert approach.rate == 0.5
    resolved = approach.resolved(np.array([0.25, 0.0]))
    assert given(resolved) == (0.5, [0.25, 0.0], [0.0, 0.0])


def test_a_current_first_brings_the_others_to_zero() -> None:
    rise, flow = laid(Hold("ITO", 0.5, 1.0, 0.1), Current("Pt", 1e-6, 10.0)).laid[2:]
    assert given(rise) == (1e-3, [1e-6, 0.5], [1e-6, 0.0])
    assert same(flow, 10.0 - 1e-3, [1e-6, 0.0], [1e-6, 0.0])
    assert modes(rise) == modes(flow) == [True, False]


def test_charge_and_discharge_alternate_and_count_cycles() -> None:
    protocol = laid(ChargeDischarge("Pt", 1e-6, -0.2, 0.4, cycles=2, rest=5.0, longest=60.0))
    assert [float(one.begin[0]) for one in protocol.laid] == [1e-6, 0.0, -1e-6, 0.0] * 2
    assert [one.duration for one in protocol.laid] == [60.0, 5.0] * 4
    assert all(modes(one) == [True, False] for one in protocol.laid)
    ends = [[(limit.value, limit.above) for limit in one.limits] for one in protocol.laid]
    assert ends == [[(0.4, True)], [], [(-0.2, False)], []] * 2
    assert [limit.following for one in protocol.laid for limit in one.limits] == [1, 3, 5, 7]
    passes = [(one.first, one.turn, one.last) for one in protocol.cycles]
    assert passes == [(0, 2, 4), (4, 6, 8)]


def test_temperature_leaves_voltages_and_switches_currents_off() -> None:
    *_, warm = laid(HOLD, Warm(350.0, 20.0)).laid
    assert given(warm) == (20.0, [1.0, 0.0], [1.0, 0.0])
    assert (warm.temperature, modes(warm)) == (350.0, [False, False])
    _, warm, stay = laid(
        Current("Pt", 1e-6, 10.0), Warm(350.0, 20.0), Current("Pt", 1e-6, 1.0)
    ).laid
    assert given(warm) == (20.0, [0.0, 0.0], [0.0, 0.0])
    assert modes(warm) == [True, False]
    assert stay.temperature == 350.0
    *_, warm = laid(Entry("hold", HOLD, until=(ABOVE,)), Warm(350.0, 20.0)).laid
    assert same(warm, 20.0, [NAN, 0.0], [NAN, 0.0])


def test_a_change_of_the_gas_is_kept_and_leaves_the_sources_alone() -> None:
    first, gas, stay = laid(
        Current("Pt", 1e-6, 1.0), Ambient({"O2": 5.0}, 20.0), Current("Pt", 0.0, 1.0)
    ).laid
    assert (first.pressures, gas.pressures, stay.pressures) == (None, {"O2": 5.0}, {"O2": 5.0})
    assert given(gas) == (20.0, [0.0, 0.0], [0.0, 0.0])
    assert modes(gas) == [True, False]
    before = Surroundings(300.0, {"O2": 1.0})
    assert gas.around(before, 5.0) == Surroundings(300.0, {"O2": 2.0})
    assert gas.around(before, 20.0) == Surroundings(300.0, {"O2": 5.0})
    assert first.around(before, 0.5) == before


def test_switches_and_spectra_take_no_time() -> None:
    closed = {"S1": True, "S2": False}
    both = Instruments(("Pt", "ITO"), closed=closed)
    steps = [HOLD, Switch((("S1", False),)), Spectrum("Pt", (10.0, 1.0)), HOLD]
    protocol = build_protocol(steps, both)
    found = [one.closed.tolist() for one in protocol.laid if one.closed is not None]
    assert found == [[True, False]] * 2 + [[False, False]]
    assert protocol.duration == 4.0
    spans = [(one.number, one.kind, one.first, one.last) for one in protocol.spans]
    assert spans == [
        (1, "hold", 0, 2),
        (2, "switch", 2, 2),
        (3, "spectrum", 2, 2),
        (4, "hold", 2, 3),
    ]
    (mark,) = protocol.spectra
    assert (mark.contact, mark.frequencies, mark.step, mark.breakpoint) == ("Pt", (10.0, 1.0), 3, 2)


def test_a_protocol_that_only_measures_has_a_moment_for_it() -> None:
    protocol = laid(Spectrum("Pt", (1.0,)))
    assert len(protocol.laid) == 1
    assert protocol.spectra[0].breakpoint == 0


def test_a_limit_is_looked_at_after_the_rise_and_hides_the_voltage_after() -> None:
    protocol = laid(Entry("hold", HOLD, until=(ABOVE,)), HOLD)
    rise, stay, after, _ = protocol.laid
    assert rise.limits == ()
    assert stay.limits == (replace(ABOVE, first=0, following=2),)
    assert same(after, 0.1, [NAN, 0.0], [1.0, 0.0])


def test_a_limited_sweep_is_looked_at_throughout_but_not_on_its_way_to_the_start() -> None:
    sweep = Entry("sweep", SWEEP, until=(ABOVE,))
    assert [len(one.limits) for one in laid(sweep).laid] == [1, 1]
    first, *rest = laid(Current("Pt", 1e-6, 1.0), sweep).laid[1:]
    assert (first.limits, first.rate) == ((), 0.5)
    assert [len(one.limits) for one in rest] == [1, 1]


def test_stairs_are_looked_at_where_they_are_flat() -> None:
    stairs = Entry("sweep", replace(SWEEP, points=(0.2,), stair=0.1), until=(ABOVE,))
    assert [len(one.limits) for one in laid(stairs).laid] == [0, 1, 0, 1]


def test_pulses_are_looked_at_in_their_reads_if_there_are_any() -> None:
    pulses = Pulses("Pt", 2.0, 1e-3, (1e-2,) * 2, 1e-5, 1e-5)
    plain = laid(Entry("pulses", pulses, until=(ABOVE,)))
    flats = [one.interval for one in plain.pulses]
    assert [n for n, one in enumerate(plain.laid) if one.limits] == flats == [1, 5]
    read = laid(Entry("pulses", replace(pulses, read=Read(0.1, 1e-3, 1e-3, 1)), until=(ABOVE,)))
    flats = [one.interval for one in read.pulses if one.kind == "read"]
    assert [n for n, one in enumerate(read.laid) if one.limits] == flats


def test_the_limit_of_a_repeat_ends_all_of_it() -> None:
    inner = Entry("hold", Hold("Pt", 1.0, 1.0, 0.1), "in", until=(replace(ABOVE, value=1.0),))
    rest = Entry("hold", Hold("Pt", 0.0, 1.0, 0.1))
    protocol = laid(Entry("repeat", Repeat(2, (inner, rest)), "out", until=(ABOVE,)))
    limits = {limit for one in protocol.laid for limit in one.limits if limit.value == ABOVE.value}
    assert limits == {replace(ABOVE, first=0, following=8)}
    own = {limit for one in protocol.laid for limit in one.limits} - limits
    assert {(one.first, one.following) for one in own} == {(0, 2), (4, 6)}


def test_repeated_steps_have_the_number_of_the_repeat_and_numbered_names() -> None:
    inner = (Entry("hold", HOLD, "write"), Entry("hold", Hold("Pt", 0.0, 1.0, 0.1)))
    protocol = laid(HOLD, Entry("repeat", Repeat(2, inner), "all"), SWEEP)
    assert [(one.number, one.name, one.kind) for one in protocol.spans] == [
        (1, "", "hold"),
        (2, "write", "hold"),
        (2, "", "hold"),
        (2, "write", "hold"),
        (2, "", "hold"),
        (3, "", "sweep"),
    ]
    ends = [one.last for one in protocol.spans]
    assert protocol.named == {ends[1]: "write", ends[3]: "write-2", ends[4]: "all"}
    assert set(ends) <= protocol.shown


def test_a_compliance_lasts_as_long_as_its_step() -> None:
    sources = Instruments(("Pt", "ITO"), positive={"Pt": 1e-2}, negative={"ITO": 1e-3})
    own = Entry("hold", HOLD, compliance=(1e-6, 2e-6))
    protocol = build_protocol([HOLD, own, HOLD], sources)
    values = [
        (one.positive.tolist(), one.negative.tolist())
        for one in protocol.laid
        if one.positive is not None and one.negative is not None
    ]
    at_first = ([1e-2, np.inf], [np.inf, 1e-3])
    assert values == [at_first] * 2 + [([1e-6, np.inf], [2e-6, 1e-3])] + [at_first]


def test_a_compliance_inside_a_repeat_gives_way_to_that_of_the_repeat() -> None:
    inner = (Entry("hold", HOLD, compliance=(1e-6, 1e-6)), Entry("hold", HOLD))
    protocol = laid(Entry("repeat", Repeat(1, inner), compliance=(1e-3, 1e-3)), HOLD)
    found = [float(one.positive[0]) for one in protocol.laid if one.positive is not None]
    assert found == [1e-6, 1e-6, 1e-3, np.inf]


SHARES = {"row1": 1.0, "row2": 1 / 3, "column1": 2 / 3, "column2": 0.0}
# A cell whose first source has no share of its voltage.
ARRAY = Instruments(
    tuple(SHARES),
    cells={"M1_2": SHARES, "M2_2": {**SHARES, "row1": 0.0, "row2": 1.0, "column1": 0.0}},
)


def test_a_cell_has_its_shares_and_limits_at_its_row() -> None:
    cell = Entry("hold", Hold("M1_2", 3.0, 1.0, 0.1), until=(replace(ABOVE, source="M1_2"),))
    protocol = build_protocol([replace(cell, compliance=(1e-5, 1e-5))], ARRAY)
    _, stay = protocol.laid
    assert stay.end.tolist() == pytest.approx([3.0, 1.0, 2.0, 0.0])
    assert stay.positive is not None
    assert stay.positive.tolist() == [1e-5, np.inf, np.inf, np.inf]
    assert [limit.source for limit in stay.limits] == ["row1"]
    assert protocol.main_source("M1_2") == "row1"


def test_a_cell_whose_first_line_is_grounded_is_swept() -> None:
    protocol = build_protocol([Sweep("M2_2", (1.0, 0.0), 1.0, 1)], ARRAY)
    assert [one.end.tolist()[1] for one in protocol.laid] == [1.0, 0.0]
    assert protocol.durations == (1.0, 1.0)


def test_sweeps_of_several_rates_follow_each_other() -> None:
    rates = (0.1, 1.0)
    way = (1.0, -1.0, 0.0)
    protocol = laid(Series(tuple(Sweep("Pt", way, rate, 1) for rate in rates)))
    assert protocol.durations == pytest.approx([10.0, 20.0, 10.0, 1.0, 2.0, 1.0])
    assert len(protocol.cycles) == 2
    assert len(protocol.spans) == 1


@pytest.mark.parametrize(
    ("steps", "length"),
    [
        ((HOLD,), "2 s"),
        ((HOLD, Entry("sweep", SWEEP, until=(ABOVE,))), "at most 14 s"),
        ((HOLD, Current("Pt", 1e-6, 1e7, 0.5)), "2 s and 1 open end"),
        ((HOLD, Current("Pt", 1e-6, 5.0), SWEEP), "about 17 s"),
    ],
)
def test_the_length_is_told_as_far_as_it_is_known(
    steps: tuple[Step | Entry, ...], length: str
) -> None:
    assert laid(*steps).length() == length


def test_the_course_counts_what_an_early_end_saves_and_no_open_ends() -> None:
    sweep = Entry("sweep", Sweep("Pt", (8.0,), 1.0, 1), "forming", until=(ABOVE,))
    course = Itinerary(laid(HOLD, Entry("current", Current("Pt", 1e-6, 1e7, 0.5)), sweep, HOLD))
    assert course.at(0.0, 0).share == 0.0
    assert course.at(0.1, 1).share == pytest.approx(0.1 / 12)
    place = course.at(1.0, 2)
    assert (place.step, place.share, place.open_end) == (
        "step 1 of 4 (hold)",
        pytest.approx(1.0 / 12),
        True,
    )
    course.at(2.0, 2)
    assert course.at(5e4, 3).share == pytest.approx(2.0 / 12)
    # The way to the start of the sweep, whose time is not known either.
    assert course.at(6e4, 4).share == pytest.approx(2.0 / 12)
    place = course.at(6e4 + 4.0, 5)
    assert (place.step, place.share) == ("step 3 of 4 (forming, sweep)", pytest.approx(6.0 / 12))
    place = course.at(6e4 + 4.1, 6)
    assert (place.share, place.open_end) == (pytest.approx(10.1 / 12), False)


def test_many_intervals_are_followed_to_the_end() -> None:
    protocol = laid(HOLD, SWEEP)
    course, end = Itinerary(protocol), 0.0
    for number, duration in enumerate(protocol.durations, start=1):
        end += duration
        place = course.at(end, number)
        assert place.share == pytest.approx(end / protocol.duration)
    assert place.share == pytest.approx(1.0)


def test_a_log_has_lines_for_names_and_limits_and_not_too_many() -> None:
    said: list[str] = []
    lines = StepLines(said.append)
    span = Span(3, "hold", "", "Pt", 0, 2)
    lines.ended(span, 1.0, None)
    assert said == []
    lines.ended(span, 1.25, ABOVE)
    assert said == ["step 3 (hold): ended at 1.25 s by current of Pt above 0.0001 A"]
    for _ in range(100):
        lines.ended(replace(span, name="write"), 2.0, None)
    assert len(said) == MOST_LINES + 1
    assert said[1] == "step 3 (write, hold): ended at 2 s"
    assert said[-1] == "more steps have ended: see steps.csv"


def test_progress_lines_tell_the_step_and_estimate_only_without_open_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ionstack.runs.log.LINE_EVERY", -1.0)
    with Log(rank=0).progress() as progress:
        progress.update(3.0, Place("step 2 of 4 (hold)", 0.25, True), 1e-3, 12, 1)
        progress.update(3.0, Place("step 2 of 4 (hold)", 0.25, False), 1e-3, 12, 1)
    first, second = capsys.readouterr().out.splitlines()
    expected = "25 %, t = 3 s in step 2 of 4 (hold), step 1.00e-03 s, 12 Newton steps, 1 rejected"
    assert first == expected
    assert second.startswith(f"{expected}, about ")


WORDS = [
    (Entry("hold", HOLD, "on", (ABOVE,), (1e-3, np.inf)),
     "on: hold Pt at 1 V for 2 s, compliance 0.001 A, or until current of Pt above 0.0001 A"),
    (Current("Pt", 1e-6, 1e7, 0.5), "1e-06 A into Pt to 0.5 V"),
    (Current("Pt", 1e-6, 10.0, 0.5), "1e-06 A into Pt for 10 s or to 0.5 V"),
    (Current("Pt", 0.0, 10.0), "open circuit at Pt for 10 s"),
    (ChargeDischarge("Pt", 1e-6, 0.0, 1.0, 3, 0.0, 1e7),
     "charge Pt with 1e-06 A to 1 V and discharge to 0 V, 3 times"),
    (Warm(350.0, 2.0), "temperature to 350 K in 2 s"),
    (Ambient({"O2": 2e4, "CO2": 40.0}, 2.0), "ambient to O2 20000 Pa, CO2 40 Pa in 2 s"),
    (Switch((("S1", True), ("S2", False))), "close S1, open S2"),
    (Spectrum("Pt", (100.0, 1.0)), "impedance of Pt at 2 frequencies, 1 to 100 Hz"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "words"), WORDS)
def test_steps_in_words(step: Step | Entry, words: str) -> None:
    assert step.describe() == words


def test_a_source_with_a_bias_keeps_it_while_others_are_driven():
    instruments = Instruments(("V1", "VG"), bias={"V1": 0.0, "VG": 2.0})
    protocol = build_protocol(
        [Hold("V1", 1.0, 2.0, 0.1), Sweep("VG", (3.0, 2.0), 1.0, 1, 2.0)], instruments
    )
    ends = [one.end.tolist() for one in protocol.laid]
    assert protocol.laid[0].begin.tolist() == [0.0, 0.0]
    assert ends == [[1.0, 2.0], [1.0, 2.0], [0.0, 2.0], [0.0, 3.0], [0.0, 2.0]]


def test_a_resolution_bounds_the_time_steps_of_a_sweep():
    sweep = Sweep("Pt", (0.5, 0.0), 0.1, 1, start=0.25, resolution=0.01)
    protocol = build_protocol([sweep, Hold("Pt", 1.0, 1.0, 0.1)], ("Pt",))
    largest = [one.largest for one in protocol.laid]
    assert largest == [np.inf, pytest.approx(0.1), pytest.approx(0.1), np.inf, np.inf]
