"""Who asked for what, how far it is, and what the law has us keep of somebody who is gone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jhalak.people.models import Person
from jhalak.rights.states import DownloadState, LeavingState


class Download(models.Model):
    """Everything about one person, as one file."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="downloads")
    state = models.CharField(
        max_length=10, choices=DownloadState.choices, default=DownloadState.ASKED
    )
    language = models.CharField(max_length=12)  # of its pages
    key = models.CharField(max_length=200, blank=True)  # of the object
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    ends = models.DateTimeField(null=True, blank=True)  # then the file is deleted

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DownloadState.values), name="download_state_known"
            ),
        ]


class Leaving(models.Model):
    """Somebody who asked to be erased. After the erasure nothing here says who it was: `subject` is
    a keyed hash.
    """

    subject = models.CharField(max_length=64, db_index=True)
    person_id = models.BigIntegerField(null=True, blank=True)  # no key: it outlives the row
    state = models.CharField(
        max_length=10, choices=LeavingState.choices, default=LeavingState.ASKED
    )
    asked = models.DateTimeField(auto_now_add=True)
    due = models.DateTimeField()
    done = models.DateTimeField(null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)  # of the address of the receipt
    work = models.JSONField(default=dict)  # names that the steps need; empty when it is done
    steps = models.JSONField(default=dict)  # step -> how many of each kind went
    plan_digest = models.CharField(max_length=64, blank=True)
    receipt = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=LeavingState.values), name="leaving_state_known"
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(state__in=(LeavingState.ASKED, LeavingState.ERASING)),
                name="leaving_once",
            ),
        ]


class Kept(models.Model):
    """What the law has us keep of somebody who was erased: encrypted, opened by no part of the
    product, deleted when its time is over.
    """

    subject = models.CharField(max_length=64, db_index=True)
    source = models.CharField(max_length=200, unique=True)  # table and a keyed hash of the row
    until = models.DateTimeField(db_index=True)
    sealed = models.BinaryField()
