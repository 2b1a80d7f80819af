"""People, their sessions, and the ties that decide who may see whom, as rows.

`Person` is Django's user model, so that what Django's ecosystem brings later (allauth's passkeys,
codes by mail or phone, recovery) finds the shape that it expects. Ways to sign in besides the
password get tables of their own beside it. Follow and Block stand here, on the lowest floor,
because access to everything rests on them; what people do with them (`do_follow`, `do_block`) is in
`jhalak.social`.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from jhalak.people.roles import HOLDERS, Permission, Role

HANDLE_PATTERN = r"[a-z0-9_](?:[a-z0-9_.]{1,28})[a-z0-9_]"


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(handle=(username or "").lower())


class Person(AbstractBaseUser):
    """Somebody with an account. `handle` is lower case; names are in any script."""

    handle = models.CharField(
        max_length=30,
        unique=True,
        validators=[
            RegexValidator(
                rf"\A{HANDLE_PATTERN}\Z",
                _(
                    "A handle has 3 to 30 letters a-z, digits, _ or . "
                    "and does not start or end with a dot."
                ),
            )
        ],
    )
    name = models.CharField(max_length=60, blank=True)
    bio = models.CharField(max_length=300, blank=True)
    picture = models.CharField(max_length=200, blank=True)  # object key of the current picture
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.VIEWER)
    private = models.BooleanField(default=False)  # who follows needs this person's consent
    language = models.CharField(max_length=12, blank=True)  # of the interface; empty: the browser's
    personal = models.BooleanField(default=True)  # whether the feed may learn from what they watch
    under_age = models.BooleanField(default=False)  # declared by themselves; then it may not
    suspended_at = models.DateTimeField(null=True, blank=True)
    leaving_at = models.DateTimeField(null=True, blank=True)  # until then a log-in undoes leaving
    created = models.DateTimeField(auto_now_add=True)
    last_login = None  # the sessions say it, one by one

    USERNAME_FIELD = "handle"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="person_role_known"),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django's name for "may have sessions"
        return self.suspended_at is None and self.leaving_at is None

    @property
    def viewer_key(self) -> str:
        """This person's name in events and in the feed."""
        return f"m{self.pk}"

    @property
    def key_name(self) -> str:
        """What this person's key is called. With the moment of joining in it: a number that a
        restored database gives out once more names no other one's key.
        """
        return f"m{self.pk}.{round(self.created.timestamp() * 1_000_000)}"

    @property
    def personal_feed(self) -> bool:
        """Whether the feed may use and learn what this person does."""
        return self.personal and not self.under_age

    def can(self, permission: Permission) -> bool:
        return self.is_active and Role(self.role) in HOLDERS[permission]


class Session(AbstractBaseSession):
    """One signed-in browser. Deleting the row signs it out, on the next request, everywhere."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=80, blank=True)  # what the browser said it is, shortened
    created = models.DateTimeField(auto_now_add=True)
    seen = models.DateTimeField()

    class Meta(AbstractBaseSession.Meta):
        indexes = [models.Index(fields=["person", "seen"])]


class ContactKind(models.TextChoices):
    MAIL = "mail", _("Mail")
    PHONE = "phone", _("Phone")


class Contact(models.Model):
    """A mail address or a phone number of somebody, readable only with that person's key.

    Confirmed, it belongs to one account. Until then it is a claim, and anybody may make it: who
    types a stranger's address neither learns whether it is known here nor keeps them from it.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="contacts")
    kind = models.CharField(max_length=5, choices=ContactKind.choices)
    ciphertext = models.BinaryField()
    lookup = models.CharField(max_length=64)  # keyed hash of its one form, in hex
    confirmed_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "lookup"], name="contact_once"),
            models.UniqueConstraint(
                fields=["kind", "lookup"],
                condition=Q(confirmed_at__isnull=False),
                name="contact_of_one_person",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ContactKind.values), name="contact_kind_known"
            ),
        ]


class Disclosure(models.Model):
    """Whose destination got an address or a number of somebody: of one purpose one row, with how
    often. It stays when the contact is removed, since what was told is not untold.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="disclosures")
    kind = models.CharField(max_length=5, choices=ContactKind.choices)
    destination = models.CharField(max_length=40)
    purpose = models.CharField(max_length=300)  # as it was declared then
    owner = models.CharField(max_length=300)
    times = models.PositiveIntegerField(default=0)
    first = models.DateTimeField(auto_now_add=True)
    last = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "destination", "purpose", "owner"],
                name="disclosure_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ContactKind.values), name="disclosure_kind_known"
            ),
        ]


class Code(models.Model):
    """A code that was asked for. `contact` is None when the address belongs to nobody: such a row
    is made and answered like every other.
    """

    ticket = models.CharField(max_length=40, unique=True)  # hash of what the asking browser holds
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="codes")
    opens = models.BooleanField()  # whether it opens a session; else it confirms the contact
    lookup = models.CharField(max_length=64)
    code_hash = models.CharField(max_length=64, blank=True)  # "" until it is sent
    tries = models.PositiveSmallIntegerField(default=0)
    expires = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires"])]


class Follow(models.Model):
    """`follower` follows `followed`; pending while a private person has not yet agreed."""

    follower = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="following")
    followed = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="followers")
    pending = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_not_oneself"),
        ]


class Block(models.Model):
    """`blocker` and `blocked` see nothing of each other."""

    blocker = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="blocking")
    blocked = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="blocked_by")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
        ]
