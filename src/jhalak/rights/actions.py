"""What somebody asks: a download of everything, and to be erased."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import datetime, timedelta

import msgspec
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.options import options
from jhalak.people import passwords
from jhalak.people.access import Viewer, sign_in_needed
from jhalak.people.actions import do_leave
from jhalak.people.models import Person
from jhalak.people.throttle import Throttle, too_many
from jhalak.problems import Gone, Invalid, NotFound
from jhalak.records.jobs import Priority
from jhalak.rights import erasing, keyring
from jhalak.rights.models import Download, Leaving
from jhalak.rights.states import DownloadState, LeavingState
from jhalak.rights.walking import DOWNLOADS
from jhalak.viewing.host import host

MAKE = "rights.download"
ONE_EACH = timedelta(days=1)  # a download is work for the whole house
TICKET_S = 6 * 3600  # a slow line resumes a large file under the same address
SALT = "jhalak.rights.download"
password_tries = Throttle(burst=6, every_s=30)


def _check_password(person: Person, password: str) -> None:
    """Whoever sits before an open browser is not always its owner. Raises Invalid, TooMany."""
    password_tries.spend(str(person.pk))
    if not passwords.holds(password, person):
        raise Invalid("wrong_password", _("That is not your password now."), field="password")
    password_tries.give_back(str(person.pk))


# ---- download ------------------------------------------------------------------------------------


def do_ask_download(viewer: Viewer, password: str) -> Download:
    """Everything about oneself, made in the background. One a day. Raises Invalid, TooMany."""
    person = sign_in_needed(viewer)
    _check_password(person, password)
    held = host().fresh().held(person.viewer_key, time.time_ns() // 1_000_000)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)  # two at once would be two files
        last = person.downloads.exclude(state=DownloadState.FAILED).order_by("-created").first()
        if last is not None and last.created > timezone.now() - ONE_EACH:
            if last.state == DownloadState.ASKED:
                return last
            raise too_many((last.created + ONE_EACH - timezone.now()).total_seconds())
        made = Download.objects.create(person=person, language=translation.get_language() or "en")
        records.enqueue(
            MAKE,
            str(made.pk),
            {"held": msgspec.to_builtins(held)},
            priority=Priority.NORMAL,
            owner=person.viewer_key,
        )
        records.audit(person, "person.download", str(person))
    return made


def access_download(viewer: Viewer, pk: int) -> Download:
    """Raises SignInNeeded, NotFound for another's, Gone when its time is over."""
    person = sign_in_needed(viewer)
    found = Download.objects.filter(pk=pk, person=person).first()
    if found is None:
        raise NotFound("no_such_download", _("There is no such download."))
    if found.state != DownloadState.READY or (found.ends and found.ends <= timezone.now()):
        raise Gone("download_gone", _("This download is not there. Ask for a new one."))
    return found


def do_open_download(viewer: Viewer, pk: int, password: str) -> str:
    """The address of the file, good for hours, for this person alone. Raises as access_download,
    Invalid, TooMany.
    """
    found = access_download(viewer, pk)
    _check_password(found.person, password)
    records.audit(found.person, "person.download_open", str(found.person))
    return f"/settings/download/{found.pk}/{TimestampSigner(salt=SALT).sign(found.sha256[:16])}"


def access_opened(viewer: Viewer, pk: int, ticket: str) -> Download:
    """Raises as access_download; NotFound for a ticket that is old or another's."""
    found = access_download(viewer, pk)
    try:
        named = TimestampSigner(salt=SALT).unsign(ticket, max_age=TICKET_S)
    except BadSignature:
        named = ""
    if named != found.sha256[:16]:
        raise NotFound("no_such_download", _("There is no such download."))
    return found


def object_key(download: Download) -> str:
    """A name that nobody guesses, under its person's."""
    return f"{DOWNLOADS}{download.person_id}/{secrets.token_hex(16)}.zip"


# ---- leaving -------------------------------------------------------------------------------------


def do_ask_leaving(viewer: Viewer, password: str) -> tuple[Leaving, str]:
    """Hidden at once, erased after the days of grace, unless a log-in undoes it before. Returns the
    secret part of the receipt's address. Raises Invalid, TooMany.
    """
    person = sign_in_needed(viewer)
    _check_password(person, password)
    return do_leave_for(person)


def do_leave_for(person: Person) -> tuple[Leaving, str]:
    """As above, without a password: for the operator's command."""
    token = secrets.token_urlsafe(24)
    due = timezone.now() + timedelta(days=options().erasure_grace)
    subject = keyring.subject_of(person)
    with transaction.atomic():
        waiting = Leaving.objects.select_for_update().filter(
            subject=subject, state=LeavingState.ASKED
        )
        for row in waiting:  # was taken back by a log-in that nobody wrote down yet
            erasing.move(row, LeavingState.TAKEN_BACK)
        do_leave(person, due)
        leaving = Leaving.objects.create(
            subject=subject, person_id=person.pk, due=due, token_hash=_hash(token)
        )
    return leaving, token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def access_receipt(token: str) -> Leaving:
    """Whoever has the address. Raises NotFound."""
    found = Leaving.objects.filter(token_hash=_hash(token)).first()
    if found is None:
        raise NotFound("no_such_receipt", _("There is no such receipt."))
    return found


def do_begin_due(now: datetime) -> int:
    """Takes up those whose grace is over, and notes those who came back. Returns how many begin."""
    begun = 0
    for leaving in Leaving.objects.filter(state=LeavingState.ASKED):
        person = Person.objects.filter(pk=leaving.person_id or 0).first()
        if person is None or person.leaving_at is None:
            with transaction.atomic():
                row = Leaving.objects.select_for_update().get(pk=leaving.pk)
                if row.state == LeavingState.ASKED:
                    erasing.move(row, LeavingState.TAKEN_BACK)
        elif leaving.due <= now:
            erasing.do_begin(leaving, person)
            begun += 1
    for leaving in Leaving.objects.filter(state=LeavingState.ERASING):
        records.enqueue(erasing.ERASE, str(leaving.pk), max_attempts=100)
    return begun
