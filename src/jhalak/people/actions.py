"""Everything that people change about themselves, and that the operator changes about them.

One function each, one transaction each; hashing, drawing and storing happen before it, since they
are slow and a writer holds up every other one. What the feed must know is emitted inside.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.border.log.entries import Kind
from jhalak.feed.events import Followed, Joined, PersonalAccepted, PersonalDeclined
from jhalak.options import options
from jhalak.people import handles, passwords, pictures
from jhalak.people.access import written
from jhalak.people.log_names import name_in_log
from jhalak.people.models import Follow, Person
from jhalak.people.roles import Role
from jhalak.people.sessions import SessionStore
from jhalak.people.text import clean
from jhalak.people.throttle import Throttle
from jhalak.problems import Conflict, Forbidden, Invalid
from jhalak.records.ledger import enter

MOST_NAME, MOST_BIO = 60, 300

# From one address many people may come (a village behind one carrier's NAT), so that limit is wide;
# the narrow one is on guessing one person's password from one address.
log_ins_of_pair = Throttle(burst=6, every_s=30)
log_ins_of_handle = Throttle(burst=60, every_s=10)
log_ins_of_address = Throttle(burst=120, every_s=2)
sign_ups_of_address = Throttle(burst=200, every_s=15)
password_changes = Throttle(burst=6, every_s=30)
pictures_of_person = Throttle(burst=20, every_s=60)


@dataclass(frozen=True)
class Browser:
    """Where a request comes from: network address, a short label, the guest it was ("" if none)."""

    address: str = ""
    device: str = ""
    guest: str = ""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


# ---- accounts and sessions -----------------------------------------------------------------------


def do_sign_up(
    session: SessionStore,
    browser: Browser,
    *,
    handle: str,
    password: str,
    name: str = "",
    language: str = "",
    under_age: bool = False,
) -> Person:
    """A new account, signed in. Raises Invalid with the field that is wrong, TooMany."""
    sign_ups_of_address.spend(browser.address)
    role = Role.CREATOR if options().open_creation else Role.VIEWER
    draft = _new_person(handle, password, name, language, role, reserved=False)
    draft.under_age = under_age
    with transaction.atomic():
        _insert(draft)
        records.audit(draft, "person.join", str(draft))
        if under_age:  # said before the guest's behaviour comes along
            records.emit(PersonalDeclined(viewer=draft.viewer_key, at_ms=now_ms()))
        _begin(session, browser, draft, "")
    return draft


def do_add_person(
    handle: str, password: str, *, name: str = "", role: Role = Role.VIEWER
) -> Person:
    """A new account by the operator, reserved handles allowed. Raises Invalid."""
    draft = _new_person(handle, password, name, "", role, reserved=True)
    with transaction.atomic():
        _insert(draft)
        records.audit(None, "person.add", str(draft), role=role.value)
    return draft


def _new_person(
    handle: str, password: str, name: str, language: str, role: Role, *, reserved: bool
) -> Person:
    draft = Person(
        handle=handles.check_handle(handle, reserved=reserved),
        name=clean(name, most=MOST_NAME, field="name"),
        language=_known_language(language),
        role=role,
    )
    passwords.check_strength(password, draft)
    if Person.objects.filter(handle=draft.handle).exists():
        raise handles.taken()  # before the slow hash; the constraint decides races
    draft.password = passwords.hash_of(password)
    return draft


def _insert(draft: Person) -> None:
    try:
        with transaction.atomic():
            draft.save(force_insert=True)
    except IntegrityError as error:
        raise handles.taken() from error


def do_log_in(session: SessionStore, browser: Browser, *, handle: str, password: str) -> Person:
    """Signs a browser in. Raises Invalid (which of the two was wrong is not said), Forbidden for a
    suspended account whose password is right, TooMany.
    """
    handle = written(handle.strip())
    limits = (
        (log_ins_of_pair, f"{handle} {browser.address}"),
        (log_ins_of_handle, handle),
        (log_ins_of_address, browser.address),
    )
    for throttle, key in limits:
        throttle.spend(key)
    person = Person.objects.filter(handle=handle).first()
    if not passwords.holds(password, person) or person is None:
        raise Invalid("wrong_login", _("Handle and password do not match. Check both."))
    for throttle, key in limits:
        throttle.give_back(key)
    if person.suspended_at is not None:
        raise Forbidden("suspended", _("This account is suspended. Write to the operator."))
    named = name_in_log(person)
    with transaction.atomic():
        _stay(person)
        records.audit(person, "person.log_in", str(person))
        _begin(session, browser, person, named)
    return person


def begin_by_code(
    session: SessionStore, browser: Browser, person: Person, encoded: str, named: str
) -> None:
    """Signs in whoever had a code (`codes`), in its transaction. `encoded`: hash of a new password,
    "" when it stays; with a new one every other browser is logged out. `named`: `name_in_log`.
    """
    if encoded:
        _set_password(person, encoded, keep=None, by=person)
    _stay(person)
    records.audit(person, "person.log_in", str(person), by="code")
    _begin(session, browser, person, named)


def do_leave(person: Person, until: datetime) -> None:
    """Hidden and logged out from now on; whoever logs in before `until` is back as if nothing had
    been. What is done then is up to `jhalak.rights`.
    """
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(leaving_at=until)
        person.sessions.all().delete()
        records.audit(person, "person.leave", str(person))
        _announce_videos(person)
    person.leaving_at = until


def _stay(person: Person) -> None:
    leaving = Person.objects.filter(pk=person.pk, leaving_at__isnull=False)
    if not leaving.update(leaving_at=None):
        return
    person.leaving_at = None
    records.audit(person, "person.stay", str(person))
    _announce_videos(person)


def _begin(session: SessionStore, browser: Browser, person: Person, named: str) -> None:
    """In the caller's transaction. Of somebody with an office it is an entry of the border's log:
    who looks at the country's data from where is what an auditor asks. `named`: `name_in_log`.
    """
    session.begin(person, clean(browser.device[:80], most=80, field="device"))
    if named:
        body = {
            "subject": named,
            "role": person.role,
            "place": browser.address,
            "purpose": "the duties of the role",
            "begun": now_ms(),
        }
        enter(Kind.STAFF_SESSION, body)
    if browser.guest:
        joined = Joined(guest=browser.guest, member=person.viewer_key, at_ms=now_ms())
        records.emit(joined)


def do_log_out(session: SessionStore) -> None:
    """Ends this browser's session. A copy of its cookie opens nothing from now on."""
    session.flush()


def do_log_out_everywhere(person: Person) -> None:
    """Ends every session of a person, this one too."""
    with transaction.atomic():
        person.sessions.all().delete()
        records.audit(person, "person.log_out_everywhere", str(person))


def do_change_password(
    person: Person, session: SessionStore | None, *, current: str, new: str
) -> None:
    """A new password; every other browser is logged out. Raises Invalid, TooMany."""
    password_changes.spend(str(person.pk))
    if not passwords.holds(current, person):
        raise Invalid("wrong_password", _("That is not your password now."), field="current")
    password_changes.give_back(str(person.pk))
    passwords.check_strength(new, person)
    _set_password(person, passwords.hash_of(new), keep=session, by=person)


def do_set_password(person: Person, new: str) -> None:
    """A new password by the operator; every browser is logged out. Raises Invalid."""
    passwords.check_strength(new, person)
    _set_password(person, passwords.hash_of(new), keep=None, by=None)


def _set_password(
    person: Person, encoded: str, *, keep: SessionStore | None, by: Person | None
) -> None:
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(password=encoded)
        person.sessions.exclude(pk=keep.row_key if keep else "").delete()
        if keep:
            keep.cycle_key()
        records.audit(by, "person.set_password", str(person))
    person.password = encoded


# ---- profile -------------------------------------------------------------------------------------


def do_change_profile(
    person: Person,
    *,
    name: str | None = None,
    bio: str | None = None,
    language: str | None = None,
) -> None:
    """Changes what is given, leaves what is None. Raises Invalid with the field that is wrong."""
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = clean(name, most=MOST_NAME, field="name")
    if bio is not None:
        changes["bio"] = clean(bio, most=MOST_BIO, field="bio", lines=True)
    if language is not None:
        changes["language"] = _known_language(language)
    if changes:
        Person.objects.filter(pk=person.pk).update(**changes)
        for field, value in changes.items():
            setattr(person, field, value)


def _known_language(code: str) -> str:
    if code and code not in dict(settings.LANGUAGES):
        message = _("This language is not there yet. Choose one of: %(codes)s.") % {
            "codes": ", ".join(dict(settings.LANGUAGES))
        }
        raise Invalid("unknown_language", message, field="language")
    return code


def do_make_private(person: Person, *, private: bool) -> None:
    """Whether who follows needs this person's consent. Opening up accepts everybody who asked.

    The feed learns anew who may see this person's videos.
    """
    with transaction.atomic():
        changed = Person.objects.filter(pk=person.pk).exclude(private=private)
        if not changed.update(private=private):
            return
        if not private:
            waiting = Follow.objects.filter(followed=person, pending=True)
            followers = list(waiting.values_list("follower_id", flat=True))
            waiting.update(pending=False)
            for follower in followers:
                records.emit(Followed(viewer=f"m{follower}", author=person.pk, at_ms=now_ms()))
        records.audit(person, "person.make_private", str(person), private=private)
        _announce_videos(person)
    person.private = private


def _announce_videos(person: Person) -> None:
    """Whom this person's videos are for has changed: `jhalak.videos` tells the feed."""
    records.enqueue("videos.announce_author", str(person.pk), priority=10)


def do_choose_personal(person: Person, *, personal: bool) -> None:
    """Whether the feed may learn from what this person does. Declining lets it forget all of that.
    Raises Forbidden for who is under age.
    """
    if personal and person.under_age:
        raise Forbidden("under_age", _("Under 18 the feed learns nothing about you."))
    _change_feed(person, personal=personal)


def do_declare_under_age(person: Person) -> None:
    """Somebody says that they are under 18. Only the operator takes that back."""
    _change_feed(person, under_age=True)


def do_declare_of_age(actor: Person | None, person: Person, reason: str) -> None:
    """The operator was shown that this person is 18. `actor`: None on the command line."""
    _change_feed(person, under_age=False, by=actor, reason=reason)


def _change_feed(
    person: Person, by: Person | None = None, reason: str = "", **columns: bool
) -> None:
    with transaction.atomic():
        row = Person.objects.select_for_update().get(pk=person.pk)
        before = row.personal_feed
        for name, value in columns.items():
            setattr(row, name, value)
            setattr(person, name, value)
        row.save(update_fields=list(columns))
        if row.personal_feed != before:
            kind = PersonalAccepted if row.personal_feed else PersonalDeclined
            records.emit(kind(viewer=row.viewer_key, at_ms=now_ms()))
        if "under_age" in columns:
            more = {"reason": reason} if reason else {}
            records.audit(
                by if reason else person, "person.under_age", str(person), **columns, **more
            )


def do_set_picture(person: Person, source: bytes) -> str:
    """A new picture from the bytes of a photo. Returns its address. Raises as `small_picture`, and
    TooMany.
    """
    pictures_of_person.spend(person.viewer_key)
    key = pictures.put(person, pictures.small_picture(source))
    try:
        _swap_picture(person, key)
    except BaseException:
        records.objects().delete(key)  # no row names it
        raise
    return pictures.url(person)


def do_remove_picture(person: Person) -> None:
    _swap_picture(person, "")


def _swap_picture(person: Person, key: str) -> None:
    with transaction.atomic():
        row = Person.objects.select_for_update().only("picture").get(pk=person.pk)
        old = row.picture
        Person.objects.filter(pk=person.pk).update(picture=key)
        if old:
            transaction.on_commit(partial(records.objects().delete, old), robust=True)
    person.picture = key


# ---- by the operator -----------------------------------------------------------------------------


def do_set_role(actor: Person | None, person: Person, role: Role) -> None:
    """Entrusts a role. `actor`: None on the command line. Raises Conflict for one's own role."""
    if actor is not None and actor.pk == person.pk:
        raise Conflict("own_role", _("Nobody changes their own role. Ask another operator."))
    with transaction.atomic():
        before = Person.objects.select_for_update().get(pk=person.pk).role
        Person.objects.filter(pk=person.pk).update(role=role)
        records.audit(actor, "person.set_role", str(person), before=before, after=role.value)
    person.role = role


def do_suspend(actor: Person | None, person: Person, reason: str) -> None:
    """Closes an account for now: every session ends, everything of it is hidden. Idempotent."""
    with transaction.atomic():
        now = timezone.now()
        if not Person.objects.filter(pk=person.pk, suspended_at=None).update(suspended_at=now):
            return
        person.sessions.all().delete()
        records.audit(actor, "person.suspend", str(person), reason=reason)
        _announce_videos(person)
    person.suspended_at = now


def do_lift(actor: Person | None, person: Person, reason: str) -> None:
    """Opens a suspended account again. Idempotent."""
    with transaction.atomic():
        closed = Person.objects.filter(pk=person.pk, suspended_at__isnull=False)
        if not closed.update(suspended_at=None):
            return
        records.audit(actor, "person.lift", str(person), reason=reason)
        _announce_videos(person)
    person.suspended_at = None
