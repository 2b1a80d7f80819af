"""What people tell each other about videos, as rows."""

from __future__ import annotations

from django.db import models

from jhalak.people.models import Person
from jhalak.videos.models import Video


class Like(models.Model):
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="likes")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="likers")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "video"], name="like_once")]


class Share(models.Model):
    """Somebody passed a video on. Kept so that each person counts once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="shares")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="sharers")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "video"], name="share_once")]


class Save(models.Model):
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="saves")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="savers")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "video"], name="save_once")]
