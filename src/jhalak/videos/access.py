"""Who may see which video. The only way to fetch a video, or an upload, for somebody.

What is refused and what is not there raise the same NotFound: from outside they look the same. The
rule stands once, as SQL (`visible`); lists, cards, the feed's last check and every byte of media go
through it.
"""

from __future__ import annotations

import enum
import re

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak.people.access import Viewer, follows, meets
from jhalak.people.models import Person
from jhalak.people.roles import Permission
from jhalak.problems import Gone, NotFound
from jhalak.videos.models import Upload, Video
from jhalak.videos.states import WATCHABLE, Visibility

_PUBLIC_ID = re.compile(r"\A[A-Za-z0-9_-]{12}\Z")
_UPLOAD_ID = re.compile(r"\A[0-9a-f]{32}\Z")


class Need(enum.Enum):
    """What somebody wants to do with a video."""

    SEE = "see"  # look at it: who may, its author in any state, moderators also when withdrawn
    OWN = "own"  # change or delete it: its author
    MODERATE = "moderate"  # withdraw or restore it: moderators and officers


def visible(viewer: Viewer) -> Q:
    """SQL over Video: what may be put before this viewer now, in a feed or a list.

    Watchable and not withdrawn; its author neither suspended nor blocked in either direction; and
    public by an open account, or not private and the viewer follows with consent, or the viewer's
    own.
    """
    allowed = Q(visibility=Visibility.PUBLIC, author__private=False) | (
        Q(visibility__in=(Visibility.PUBLIC, Visibility.FOLLOWERS)) & follows(viewer)
    )
    if viewer.person is not None:
        allowed |= Q(author_id=viewer.person.pk)
    return Q(state__in=WATCHABLE, withdrawn_at=None) & meets(viewer) & allowed


def visible_videos(viewer: Viewer) -> QuerySet[Video]:
    """The videos that may be put before this viewer, in no order."""
    return Video.objects.filter(visible(viewer))


def seen(viewer: Viewer) -> Q:
    """SQL over Video: what this viewer may open by its address.

    What is visible; one's own in any state; and for those who judge, what was withdrawn.
    """
    allowed = visible(viewer)
    if viewer.person is not None:
        allowed |= Q(author_id=viewer.person.pk)
        if viewer.can(Permission.SEE_WITHDRAWN):
            # To judge a video is to see it, whoever blocked whom. Not what is kept private.
            allowed |= Q(state__in=WATCHABLE) & ~Q(visibility=Visibility.PRIVATE)
    return allowed


def access_video(viewer: Viewer, public_id: str, need: Need = Need.SEE) -> Video:
    """The video of a public id, with author and channel, for what this viewer needs.

    Raises NotFound.
    """
    check_id(public_id)
    if need is Need.SEE:
        allowed = seen(viewer)
    elif need is Need.OWN and viewer.person is not None:
        allowed = Q(author_id=viewer.person.pk)
    elif need is Need.MODERATE and viewer.can(Permission.WITHDRAW):
        allowed = Q()
    else:
        raise no_video()
    videos = Video.objects.select_related("author", "channel")
    video = videos.filter(allowed, public_id=public_id).first()
    if video is None:
        raise no_video()
    return video


def check_id(public_id: str) -> None:
    """What cannot be an id is not looked up: some texts no database takes. Raises NotFound."""
    if not _PUBLIC_ID.match(public_id):
        raise no_video()


def no_video() -> NotFound:
    return NotFound("no_such_video", _("There is no such video, or it is not for you to see."))


def access_upload(person: Person, upload_id: str) -> Upload:
    """An upload of this person. Raises NotFound for somebody else's, Gone when it has expired."""
    known = _UPLOAD_ID.match(upload_id)
    upload = Upload.objects.filter(pk=upload_id, owner=person).first() if known else None
    if upload is None:
        raise no_upload()
    if not upload.video and upload.expires < timezone.now():
        raise Gone(
            "upload_expired", _("This upload was not finished in time. Choose the file again.")
        )
    return upload


def no_upload() -> NotFound:
    return NotFound("no_such_upload", _("There is no such upload. Choose the file again."))
