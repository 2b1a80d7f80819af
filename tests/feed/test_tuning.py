"""The operator's weights: what may be changed, what a change does, and the file that shows them."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Engine, Quotas, Weights, tuning, weights_file
from jhalak.feed import events as ev
from jhalak.feed.snapshot import SHAPING, SHAPING_OWED
from jhalak.feed.tuning import KEPT, KNOBS, Trouble
from tests.feed.worlds import NOW, video, watch, world

DEFAULTS = tuning.read(Config())
in_bounds = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(int(knob.least), int(knob.most))
        if knob.whole
        else st.floats(knob.least, knob.most)
        for name, knob in KNOBS.items()
    },
)


def test_every_weight_and_quota_can_be_changed_and_nothing_that_shapes_the_state():
    names = [f"weights.{name}" for name in Weights.__struct_fields__]
    names += [f"quotas.{name}" for name in Quotas.__struct_fields__]
    assert sorted(names) == sorted(
        name for name in KNOBS if name.startswith(("weights.", "quotas."))
    )
    assert not {*SHAPING, *(f"owed.{name}" for name in SHAPING_OWED)} & {*KNOBS}
    assert all(tuning.faults({name: value}) == [] for name, value in DEFAULTS.items())


@given(in_bounds)
def test_what_is_in_bounds_is_taken_as_it_is_and_builds_a_pipeline(values):
    assert tuning.faults(values) == []
    config = tuning.configured(Config(), values)
    assert tuning.read(config) == DEFAULTS | values
    engine = Engine.new(config)
    engine.observe([(1, video(1)), (2, ev.Tuned(values, "x", NOW))])
    assert engine.report()["weights"]["values"] == DEFAULTS | values


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        (math.nan, Trouble.NO_NUMBER),
        (math.inf, Trouble.NO_NUMBER),
        (True, Trouble.NO_NUMBER),
        ("1", Trouble.NO_NUMBER),
        (None, Trouble.NO_NUMBER),
        ({}, Trouble.NO_NUMBER),
        (1.5, Trouble.NOT_WHOLE),
        (0, Trouble.OUTSIDE),
        (10**400, Trouble.OUTSIDE),
        (-(10**400), Trouble.OUTSIDE),
    ],
    ids=lambda value: str(value)[:9],
)
def test_what_is_no_number_in_bounds_is_named(value, trouble):
    assert tuning.faults({"quotas.tag": value, "quotas.tags": 3}) == [
        ("quotas.tag", trouble),
        ("quotas.tags", Trouble.UNKNOWN),
    ]


def test_a_change_holds_from_the_next_page_on_and_back():
    here = world()
    here.tell(*(watch("m1", video(12 * n), at=NOW) for n in range(1, 6)))
    query = {"viewer": "m1", "seed": 4}
    before = here.page(**query).picks
    assert here.term("channel", 72, "m1") > 1.0
    here.tell(ev.Tuned({"weights.channel": 0.0, "quotas.channel": 1}, "Too narrow.", NOW + 5))
    assert here.term("channel", 72, "m1") == 0.0
    assert here.page(**query).picks != before
    seen = here.engine.report()["weights"]
    assert (seen["values"]["weights.channel"], seen["values"]["weights.tag"]) == (0.0, 2.5)
    assert seen["changes"] == [
        {
            "at_ms": NOW + 5,
            "values": {"weights.channel": 0.0, "quotas.channel": 1.0},
            "reason": "Too narrow.",
        }
    ]
    here.tell(ev.Tuned({}, "It was better before.", NOW + 6))
    assert here.term("channel", 72, "m1") > 1.0
    assert here.engine.report()["weights"]["changed"] == {}


def test_changes_are_bounded_and_old_names_are_passed_over():
    here = world(3)
    here.tell(*(ev.Tuned({"explore": n / 1000}, f"{n}", NOW + n) for n in range(KEPT + 9)))
    seen = here.engine.report()["weights"]
    assert len(seen["changes"]) == KEPT
    assert seen["changes"][0]["reason"] == f"{KEPT + 8}"
    here.tell(ev.Tuned({"gone": 1.0, "temperature": 1e9}, "Of another version.", NOW))
    seen = here.engine.report()["weights"]
    assert seen["values"] == DEFAULTS | {"temperature": KNOBS["temperature"].most}
    assert len(here.page().picks) == 3


@given(in_bounds)
def test_the_file_comes_back_as_it_went(values):
    text = weights_file.dumps(values, 'Since then: "because"\n] = [')
    read = weights_file.loads(text)
    assert tuning.faults(read) == []
    assert read == DEFAULTS | values
    assert weights_file.changed(read) == {
        name: value for name, value in values.items() if value != DEFAULTS[name]
    }
    for name, knob in KNOBS.items():
        assert knob.meaning in text
        assert name.rpartition(".")[2] in text


@pytest.mark.parametrize(
    "text", ["[", "a = ", "a = 1\na = 2", "a = [" * 5000, "a = " + "9" * 5000, "x" * 70_000]
)
def test_what_is_no_file_is_refused(text):
    with pytest.raises(weights_file.BadFile):
        weights_file.loads(text)


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        read = weights_file.loads(text)
    except weights_file.BadFile:
        return
    assert set(read) >= {fault.name for fault in tuning.faults(read)}


def test_deeper_tables_are_no_numbers():
    read = weights_file.loads("[weights.channel]\nx = 1\n[quotas]\n[a]\nb = 1979-05-27\n")
    assert {fault.name: fault.trouble for fault in tuning.faults(read)} == {
        "weights.channel": Trouble.NO_NUMBER,
        "quotas": Trouble.UNKNOWN,
        "a.b": Trouble.UNKNOWN,
    }


def test_settings_of_an_engine_are_what_changes_are_made_to():
    mine = msgspec.structs.replace(Config(), explore=0.1)
    here = world(3, mine)
    here.tell(ev.Tuned({"temperature": 2.0}, "x", NOW))
    seen = here.engine.report()["weights"]["values"]
    assert (seen["explore"], seen["temperature"]) == (0.1, 2.0)
