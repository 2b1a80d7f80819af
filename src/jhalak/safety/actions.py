"""What moderators do to videos. Reversible, reasoned, written down; seen by the author.

The whole of safety (reports, decisions with clocks, strikes, appeals, orders) is a later room-full;
this is its first action, whole: a withdrawn video is gone from the very next page and from every
address.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.border.log.entries import Kind
from jhalak.feed.events import Removal, Withdrawn
from jhalak.people.models import Person
from jhalak.people.text import clean
from jhalak.problems import Conflict, Invalid
from jhalak.records.ledger import enter
from jhalak.videos.actions import emit_published
from jhalak.videos.models import Video

REASON_LENGTH = 300  # characters


def _reason(text: str) -> str:
    reason = clean(text)
    if not reason:
        raise Invalid("reason_needed", _("Say why: the author will read it."), field="reason")
    if len(reason) > REASON_LENGTH:
        raise Invalid("reason_long", _("Say it in at most 300 characters."), field="reason")
    return reason


def do_withdraw_video(moderator: Person, video: Video, reason: str) -> None:
    """Take a video out of sight, with a reason that its author reads. Raises Invalid, Conflict."""
    reason = _reason(reason)
    with transaction.atomic():
        changed = Video.objects.filter(pk=video.pk, withdrawn_at=None).update(
            withdrawn_at=timezone.now(), withdrawn_reason=reason
        )
        if not changed:
            raise Conflict("already_withdrawn", _("This video is withdrawn already."))
        records.emit(Withdrawn(video=video.pk, reason=Removal.WITHDRAWN))
        records.audit(moderator, "video.withdraw", f"video:{video.public_id}", reason=reason)
        _enter(moderator, video, "withdrawn")


def do_restore_video(moderator: Person, video: Video, reason: str) -> None:
    """Put a withdrawn video back where it was. Raises Invalid, Conflict."""
    reason = _reason(reason)
    with transaction.atomic():
        changed = (
            Video.objects.filter(pk=video.pk)
            .exclude(withdrawn_at=None)
            .update(withdrawn_at=None, withdrawn_reason="")
        )
        if not changed:
            raise Conflict("not_withdrawn", _("This video is not withdrawn."))
        video.refresh_from_db()
        emit_published(video)
        records.audit(moderator, "video.restore", f"video:{video.public_id}", reason=reason)
        _enter(moderator, video, "restored")


def _enter(moderator: Person, video: Video, done: str) -> None:
    """In the border's log, which never forgets: so without the reason, which may name somebody."""
    enter(Kind.TAKEDOWN, {"video": video.public_id, "done": done, "role": moderator.role})
