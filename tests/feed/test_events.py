"""The vocabulary: what goes into the log comes out of it, and nothing else does."""

from __future__ import annotations

import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.feed import events as ev

KINDS = typing.get_args(ev.Event)


def example(kind: type[msgspec.Struct]) -> ev.Event:
    values = {
        "viewer": "m7", "guest": "gab", "member": "m7", "video": 2**40, "author": 9,
        "channel": "waves", "tags": ("नमस्ते", "b"), "language": "hi", "duration_ms": 4000,
        "published_ms": 1, "at_ms": 2, "reason": ev.Removal.PRIVATE,
        "kind": ev.WatchKind.SKIPPED, "watched_ms": 100, "digest": "ab" * 32,
        "value": "waves",
        "values": {"temperature": 0.5},
        "name": "calmer", "layer": "draw", "share": 200, "window_ms": 60_000, "ends_ms": 3,
        "arms": (ev.Arm("half", {"temperature": 0.5}),),
    }  # fmt: skip
    if kind is ev.Watched:
        values["arms"] = "12b"
    elif kind in (ev.Tuned, ev.ExperimentStarted, ev.ExperimentStopped):
        values["reason"] = "Too loud."
    names = [field.name for field in msgspec.structs.fields(kind)]
    if kind is ev.Promoted:
        values["kind"] = ev.ModelKind.PLACES
    if kind is ev.InterestRemoved:
        values["kind"] = ev.InterestKind.CHANNEL
    made = kind(**{name: values[name] for name in names if name in values})
    return typing.cast(ev.Event, made)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_comes_back_as_it_went(kind):
    event = example(kind)
    body = ev.encode(event)
    assert ev.decode(body) == event
    assert ev.encode(ev.decode(body)) == body
    assert body.startswith(b'{"t":"')


def test_every_kind_has_a_name_of_its_own():
    tags = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(tags)) == len(tags) == 28


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"t":"nothing"}',
        b'{"t":"withdrawn","video":1}',
        b'{"t":"withdrawn","video":-1,"reason":"deleted"}',
        b'{"t":"withdrawn","video":9223372036854775808,"reason":"deleted"}',
        b'{"t":"withdrawn","video":1.5,"reason":"deleted"}',
        b'{"t":"withdrawn","video":1,"reason":"because"}',
        b'{"t":"withdrawn","video":1,"reason":"deleted","more":1}',
        b'{"t":"liked","viewer":"","video":1,"at_ms":1}',
        b'{"t":"liked","viewer":"%s","video":1,"at_ms":1}' % (b"m" * 65),
        b'{"t":"liked","viewer":"\xff","video":1,"at_ms":1}',
        (
            b'{"t":"watched","viewer":"m1","video":1,"kind":"seen","watched_ms":1,"duration_ms":1,'
            b'"at_ms":1}'
        ),
        b'{"t":"tuned","values":{"temperature":null},"reason":"x","at_ms":1}',
        b'{"t":"tuned","values":{},"reason":"","at_ms":1}',
        b'{"t":"experiment_stopped","name":"A b","reason":"x","at_ms":1}',
        b"\x00" * 1000,
        b"[" * 100_000,
    ],
)
def test_refuses_what_is_no_event(body):
    with pytest.raises(ev.BadEvent):
        ev.decode(body)


def test_refuses_to_write_what_cannot_be_read_again():
    for number in (float("nan"), float("inf")):
        values = {"temperature": number}
        for event in (
            ev.Watched("m1", 1, ev.WatchKind.WATCHED, 1, 1, 1, propensity=number),
            ev.Tuned(values, "x", 1),
            ev.ExperimentStarted("a", "b", 1, (ev.Arm("c", values),), 1, 1, "x", 1),
        ):
            with pytest.raises(ev.BadEvent):
                ev.encode(event)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(body):
    try:
        event = ev.decode(body)
    except ev.BadEvent:
        return
    assert isinstance(event, KINDS)
