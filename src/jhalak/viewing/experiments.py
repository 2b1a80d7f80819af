"""Experiments on the feed: started with a reason and an end, stopped with a reason, read daily."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from jhalak import records
from jhalak.feed.config import HOUR_MS
from jhalak.feed.events import Arm, ExperimentStarted, ExperimentStopped
from jhalak.feed.experiments.plans import (
    BUCKETS,
    CONTROL,
    MOST_DAYS,
    Held,
    Unfit,
    Why,
    place,
)
from jhalak.problems import Conflict, Invalid, NotFound
from jhalak.records.actions import Actor
from jhalak.viewing.tuning import check_values, clean_reason, now_ms, reported


def experiments() -> list[dict[str, Any]]:
    """Those remembered, the newest first, each with its results (feed.experiments.results)."""
    found: list[dict[str, Any]] = reported("experiments")
    return found


def do_start_experiment(
    actor: Actor | None,
    name: str,
    arms: Sequence[Arm],
    reason: str,
    *,
    layer: str,
    percent: float,
    days: int,
    window_hours: float,
    interleaved: bool = False,
) -> None:
    """Try each arm on an even part of `percent` of the viewers, beside a control; `interleaved`:
    the one arm and the control fill each of their pages in turn.

    Raises Invalid, Conflict. Two starts at the same moment, in two processes, may both come to the
    log; the engine then takes the first, and the list shows which.
    """
    reason = clean_reason(reason)
    for arm in arms:
        check_values(arm.values)
    at_ms = now_ms()
    try:
        plan = msgspec.convert(
            {
                "t": "experiment_started",
                "name": name,
                "layer": layer,
                "share": round(percent * BUCKETS / 100),
                "arms": [msgspec.to_builtins(arm) for arm in arms],
                "window_ms": round(window_hours * HOUR_MS),
                "ends_ms": at_ms + days * 24 * HOUR_MS,
                "reason": reason,
                "at_ms": at_ms,
                "interleaved": interleaved,
            },
            ExperimentStarted,
        )
    except msgspec.ValidationError as error:
        raise Invalid("invalid", _("The experiment is not as expected: %s.") % error) from error
    try:
        place(plan, _held())
    except Unfit as error:
        problem = Conflict if error.why in CLASHES else Invalid
        words = WORDS[error.why]() % {"what": error.detail}
        raise problem(error.why.value, words, field=FIELDS.get(error.why)) from error
    with transaction.atomic():
        records.emit(plan)
        records.audit(
            actor,
            "feed.experiment.start",
            f"experiment:{name}",
            reason=reason,
            layer=layer,
            percent=percent,
            days=days,
            window_hours=window_hours,
            interleaved=interleaved,
            arms={arm.name: arm.values for arm in arms},
        )


def do_stop_experiment(actor: Actor | None, name: str, reason: str) -> None:
    """From the next page on its viewers are as all others; what was counted is kept.

    Raises Invalid; NotFound when none of this name runs.
    """
    reason = clean_reason(reason)
    if not any(one["name"] == name and one["state"] == "running" for one in experiments()):
        raise NotFound("no_such_experiment", _("No such experiment runs."))
    with transaction.atomic():
        records.emit(ExperimentStopped(name=name, reason=reason, at_ms=now_ms()))
        records.audit(actor, "feed.experiment.stop", f"experiment:{name}", reason=reason)


def _held() -> list[Held]:
    return [_as_held(one) for one in experiments()]


def _as_held(one: Mapping[str, Any]) -> Held:
    plan = ExperimentStarted(
        name=one["name"],
        layer=one["layer"],
        share=one["share"],
        arms=tuple(Arm(arm["name"], arm["values"]) for arm in one["arms"][1:]),
        window_ms=one["window_ms"],
        ends_ms=one["ends_ms"],
        reason=one["reason"],
        at_ms=one["started_ms"],
        interleaved=one["interleaved"],
    )
    return Held(plan, one["number"], one["first"], one["stopped_ms"], one["stop_reason"])


CLASHES = frozenset(
    {
        Why.NAME_TAKEN,
        Why.TOO_MANY,
        Why.TOO_MANY_LAYERS,
        Why.NO_ROOM,
        Why.OTHER_LAYER,
        Why.IN_TURN,
    }
)
FIELDS: Mapping[Why, str] = {
    Why.NAME_TAKEN: "name",
    Why.ARM_NAMES: "arms",
    Why.NOTHING_CHANGED: "values",
    Why.WINDOW: "window_hours",
    Why.END: "days",
    Why.NO_ROOM: "percent",
    Why.OTHER_LAYER: "layer",
    Why.ONE_ARM: "arms",
    Why.IN_TURN: "layer",
}
WORDS: Mapping[Why, Callable[[], str]] = {
    Why.NAME_TAKEN: lambda: _("There is an experiment called %(what)s: take another name."),
    Why.ARM_NAMES: lambda: (
        _("Each arm needs a name of its own, other than %s (given: %%(what)s).") % CONTROL
    ),
    Why.NOTHING_CHANGED: lambda: _("The arm %(what)s changes nothing: say what it tries."),
    Why.BAD_VALUES: lambda: _("%(what)s cannot be changed so."),
    Why.WINDOW: lambda: _("Each viewer is measured for 10 minutes to 14 days."),
    Why.END: lambda: (
        _("It has to last longer than one viewer is measured, and at most %d days.") % MOST_DAYS
    ),
    Why.TOO_MANY: lambda: _("At most %(what)s experiments run at once: stop one first."),
    Why.TOO_MANY_LAYERS: lambda: _("At most %(what)s layers are in use at once: take one of them."),
    Why.NO_ROOM: lambda: _("Its layer has only %(what)s of 1000 viewers left."),
    Why.OTHER_LAYER: lambda: _("Another layer tries this already: %(what)s. Take that layer."),
    Why.ONE_ARM: lambda: _("Pages are filled in turn by the control and one arm, not by more."),
    Why.IN_TURN: lambda: _(
        "Another layer has its pages filled in turn already: %(what)s. Take that layer."
    ),
}
