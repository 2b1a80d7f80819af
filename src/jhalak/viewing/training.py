"""Trained parts of the feed: learnt from the log, put in force past a gate, taken back.

What is in force is what the log's last `Promoted` names; the audit entry of the same transaction
says why, and is where this module looks. Artefacts lie in `feed/models` of the data folder
(jhalak.feed.models) and are there before an event names them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction

from jhalak import records
from jhalak.border.log.entries import Kind
from jhalak.feed import models, places_file, training
from jhalak.feed.events import BadEvent, Event, ModelKind, Promoted, Watched, decode
from jhalak.feed.training import quality
from jhalak.options import options
from jhalak.records.actions import Actor
from jhalak.records.jobs import Progress
from jhalak.records.ledger import enter
from jhalak.records.models import AuditEntry
from jhalak.stores.events import StoredEvent
from jhalak.viewing.models import LogCursor

log = logging.getLogger(__name__)

KIND = training.KIND
RANKER = ModelKind.RANKER
TRAINED = "trained"  # a cursor: the end of the log when it was last learnt from
PROMOTE, ROLLBACK = "feed.promote", "feed.rollback"
BATCH = 2_000  # events read at once
GROWN = 0.1  # share by which the log has to grow until it is learnt from anew ...
GROWN_LEAST = 2_000  # ... and so many events at least
LOOKED_AFTER = 20_000  # events after a promotion, compared with as many before it


def _quiet(_fraction: float) -> None:
    pass


class Refused(Exception):
    """A promotion or a rollback that is not done; the message says why. For an operator's shell,
    so in English.
    """


class InForce(msgspec.Struct, frozen=True):
    """What is served. `digest` "" is nothing: the feed places videos by their words alone.

    `before`: what was in force before it. `since`: the end of the log when it was put in force.
    `watched`: it was promoted, so that it is looked after; what was gone back to is not.
    """

    digest: str = ""
    before: str = ""
    since: int = 0
    watched: bool = False


def folder() -> Path:
    return options().folder / "feed" / "models"


def in_force(kind: ModelKind = KIND) -> InForce:
    entry = AuditEntry.objects.filter(object=_object(kind)).order_by("-id").first()
    if entry is None:
        return InForce()
    return InForce(
        entry.detail["digest"],
        entry.detail["before"],
        entry.detail["since"],
        entry.action == PROMOTE,
    )


def _log(after: int, until: int, progress: Progress = _quiet) -> Iterator[StoredEvent]:
    """The events after one offset, up to another."""
    began = after
    while after < until:
        stored = records.events().read(after, BATCH)
        if not stored:
            return
        yield from (one for one in stored if one.offset <= until)
        after = stored[-1].offset
        progress((after - began) / max(1, until - began) / 2)


def propose(progress: Progress = _quiet, seed: int = 1) -> training.Proposal:
    """A candidate from the whole log, beside what is in force. Raises training.TooFew."""
    now = in_force()
    served: tuple[str, places_file.Places] | None = None
    learnt_to = 0
    if now.digest:
        try:
            manifest = models.read_manifest(folder(), now.digest)
            served = now.digest[:12], places_file.decode(models.read(folder(), KIND, now.digest))
            learnt_to = int(manifest.settings["learnt_to"])
        except (models.ModelError, places_file.BadPlaces, KeyError) as error:
            log.warning("what is in force cannot be used, the candidate stands alone: %s", error)
    reader = training.Reader()
    events = _log(0, records.events().last(), progress)
    reader.read((one.offset, one.body) for one in events)
    return training.propose(reader.answers(), served, after=learnt_to, seed=seed)


def propose_ranker(seed: int = 1) -> training.Proposal:
    """A ranker from the whole log, beside the learner alone and what is in force. Raises
    training.TooFew, and ranking.network.NoTorch where the extra "train" is not installed.
    """
    from jhalak.feed.ranker.model import Ranker

    try:
        from jhalak.feed.training.ranking import proposal
    except ImportError as error:  # onnx, of the same extra
        raise training.NoTorch("training a ranker needs onnx: install jhalak[train]") from error
    now, learnt_to = in_force(RANKER), 0
    served: tuple[str, Ranker] | None = None
    if now.digest:
        try:
            manifest = models.read_manifest(folder(), now.digest)
            served = now.digest[:12], Ranker(models.read(folder(), RANKER, now.digest))
            learnt_to = int(manifest.settings["learnt_to"])
        except (models.ModelError, KeyError) as error:
            log.warning("what is in force cannot be used, the candidate stands alone: %s", error)
    last = records.events().last()
    reader = training.Reader()
    reader.read((one.offset, one.body) for one in _log(0, last))
    return proposal.propose(
        _events(last),
        reader.answers(),
        lambda kind, digest: models.read(folder(), kind, digest),
        in_force().digest,
        served,
        after=learnt_to,
        seed=seed,
    )


def _events(last: int) -> Iterator[tuple[int, Event]]:
    for one in _log(0, last):
        try:
            yield one.offset, decode(one.body)
        except BadEvent:
            continue


def do_promote(actor: Actor | None, proposal: training.Proposal) -> str:
    """Keeps the artefact and puts it in force; returns its digest. Raises Refused when it did not
    pass its gate, or is in force already.
    """
    if not proposal.verdict.passed:
        raise Refused(f"it did not pass its gate: {proposal.verdict.why}")
    digest = models.write(folder(), proposal.artefact, proposal.manifest)
    kind = ModelKind(proposal.manifest.kind)
    since = records.events().last()
    with transaction.atomic():
        before = in_force(kind)
        if before.digest == digest:
            raise Refused("this is in force already")
        _put(actor, kind, PROMOTE, digest, before.digest, since, **proposal.manifest.gate)
        enter(
            Kind.MODEL,
            {
                "kind": kind,
                "digest": digest,
                "data_root": proposal.manifest.data.root,
                "code": proposal.manifest.code,
                "seed": proposal.manifest.seed,
                "verdict": "promoted",
            },
        )
    return digest


def do_roll_back(actor: Actor | None, reason: str, kind: ModelKind = KIND) -> str:
    """Takes back what is in force: what was before it is served again, nothing ("") if there was
    nothing. Returns its digest. Raises Refused when there is nothing to take back.
    """
    reason = reason.strip()
    if not reason:
        raise Refused("say why: the reason is kept")
    since = records.events().last()
    with transaction.atomic():
        now = in_force(kind)
        if not now.digest:
            raise Refused("nothing trained is in force")
        before = _before(kind, now.before)
        _put(actor, kind, ROLLBACK, now.before, before, since, reason=reason, instead=now.digest)
        told = {"kind": kind, "digest": now.before, "instead": now.digest}
        enter(Kind.MODEL, {**told, "verdict": "taken back", "reason": reason[:500]})
    return now.before


def do_look_after() -> str:
    """Takes back what was promoted if watches feel worse since. Returns the reason, "" for none."""
    return _look_after(RANKER) or _look_after(KIND)  # at worst one too many, and not the first


def _look_after(kind: ModelKind) -> str:
    now = in_force(kind)
    if not (now.digest and now.watched):
        return ""
    before = _watches(max(0, now.since - LOOKED_AFTER), now.since)
    change = quality.compare(before, _watches(now.since, now.since + LOOKED_AFTER))
    if not change.fallen:
        return ""
    log.warning("%s is taken back: %s", now.digest[:12], change)
    do_roll_back(None, str(change), kind)
    return str(change)


def do_learn(progress: Progress = _quiet) -> str:
    """Looks after what is in force, and trains anew when the log has grown enough: the job of the
    queue. Returns what came of it in words.
    """
    if reason := do_look_after():
        return f"taken back: {reason}"
    last = records.events().last()
    if not _grown(last):
        return "the log has not grown enough"
    LogCursor.objects.update_or_create(name=TRAINED, defaults={"offset": last})
    try:
        proposal = propose(progress)
    except training.TooFew as few:
        return str(few)
    if not proposal.verdict.passed:
        return f"not promoted: {proposal.verdict.why}"
    return f"promoted: {do_promote(None, proposal)}"


def worth_a_look() -> bool:
    """Whether `do_learn` has anything to do. Costs three short queries."""
    last = records.events().last()
    both = in_force(), in_force(RANKER)
    return _grown(last) or any(now.watched and last - now.since < 2 * LOOKED_AFTER for now in both)


def _grown(last: int) -> bool:
    trained = LogCursor.objects.filter(name=TRAINED).values_list("offset", flat=True).first() or 0
    if trained > last:  # a log put back from before
        trained = 0
    return last >= training.FEWEST and last - trained >= max(GROWN_LEAST, GROWN * last)


def _watches(after: int, until: int) -> list[Watched]:
    found = []
    for one in _log(after, until):
        try:
            event = decode(one.body)
        except BadEvent:
            continue
        if isinstance(event, Watched):
            found.append(event)
    return found


def _object(kind: ModelKind) -> str:
    return f"feed:{kind}"


def _before(kind: ModelKind, digest: str) -> str:
    """What was in force when `digest` was put there."""
    if not digest:
        return ""
    entries = AuditEntry.objects.filter(object=_object(kind), action=PROMOTE)
    entries = entries.filter(detail__digest=digest)
    entry = entries.order_by("-id").first()
    return entry.detail["before"] if entry else ""


def _put(
    actor: Actor | None,
    kind: ModelKind,
    action: str,
    digest: str,
    before: str,
    since: int,
    **detail: Any,
) -> None:
    records.audit(actor, action, _object(kind), digest=digest, before=before, since=since, **detail)
    records.emit(Promoted(kind=kind, digest=digest, at_ms=time.time_ns() // 1_000_000))
