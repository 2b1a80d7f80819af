"""The operator's weights: read from the engine, changed by an event in the log.

The log is the only way into the engine, so a change reaches every process with the next page, and a
replay makes it again. Who changed what and why stands in the audit log too, in the same commit.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from jhalak import records
from jhalak.feed import weights_file
from jhalak.feed.events import Tuned
from jhalak.feed.tuning import KNOBS, Fault, Trouble, faults
from jhalak.people.text import clean
from jhalak.problems import Conflict, Invalid, Unavailable
from jhalak.records.actions import Actor
from jhalak.viewing.host import host

REASON_LENGTH = 300  # characters
MOST_SAID = 5  # faults named at once


def weights() -> dict[str, Any]:
    """Numbers in force, those that differ from the defaults, and the last changes with reasons."""
    found: dict[str, Any] = reported("weights")
    return found


def reported(name: str) -> Any:
    """A part of the engine's report. Raises Unavailable while the feed process does not answer."""
    report = host().fresh().report()
    if name not in report:
        raise Unavailable("feed_away", _("The feed is being started again. Try again in a moment."))
    return report[name]


def do_change_weights(actor: Actor | None, values: Mapping[str, object], reason: str) -> None:
    """From the next page on these values hold, and the defaults for all that is left out.

    Raises Invalid, which names what is wrong; Conflict when nothing would change.
    """
    reason = clean_reason(reason)
    check_values(values)
    changed = weights_file.changed(values)
    before = weights()["changed"]
    if changed == before:
        raise Conflict("nothing_changed", _("These weights are in force already."))
    with transaction.atomic():
        records.emit(Tuned(values=changed, reason=reason, at_ms=now_ms()))
        records.audit(actor, "feed.weights", "feed", reason=reason, values=changed, before=before)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def clean_reason(text: str) -> str:
    """Raises Invalid: a reason is never left out."""
    reason = clean(text)
    if not reason:
        raise Invalid("reason_needed", _("Say why: it is kept in the audit log."), field="reason")
    if len(reason) > REASON_LENGTH:
        raise Invalid("reason_long", _("Say it in at most 300 characters."), field="reason")
    return reason


def check_values(values: Mapping[str, object]) -> None:
    """Raises Invalid, which names what is wrong with each of the first few."""
    wrong = faults(values)
    if wrong:
        text = " ".join(_words(fault) for fault in wrong[:MOST_SAID])
        raise Invalid("bad_weights", text, field="values")


def _words(fault: Fault) -> str:
    name = fault.name[:60]
    if fault.trouble is Trouble.UNKNOWN:
        near = difflib.get_close_matches(name, KNOBS, 1)
        if near:
            return _("There is no %(name)s. Is %(near)s meant?") % {"name": name, "near": near[0]}
        return _("There is no %(name)s.") % {"name": name}
    if fault.trouble is Trouble.NO_NUMBER:
        return _("%(name)s needs a number.") % {"name": name}
    if fault.trouble is Trouble.NOT_WHOLE:
        return _("%(name)s needs a whole number.") % {"name": name}
    knob = KNOBS[fault.name]
    bounds = {"name": name, "least": f"{knob.least:g}", "most": f"{knob.most:g}"}
    return _("%(name)s has to be from %(least)s to %(most)s.") % bounds
