"""Videos and what they are made of, as rows: channels, uploads under way, videos, renditions,
pieces.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q

from jhalak.people.models import Person
from jhalak.videos.states import CaptionSource, State, Visibility


def new_public_id() -> str:
    """12 characters that cannot be guessed (72 bits): the name of a video in every address."""
    return secrets.token_urlsafe(9)


class Channel(models.Model):
    """A theme that videos are filed under. Curated by the operator."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    name_hi = models.CharField(max_length=60, blank=True)
    description = models.CharField(max_length=200, blank=True)
    description_hi = models.CharField(max_length=200, blank=True)
    colour = models.CharField(max_length=7, default="#F2A900")

    def __str__(self) -> str:
        return self.slug


class Upload(models.Model):
    """A resumable upload (tus 1.0) under way. Its bytes lie in the uploads folder until it is
    finished.
    """

    id = models.CharField(max_length=32, primary_key=True)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="uploads")
    size = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    details = models.JSONField()  # words.Details, checked at creation
    metadata = models.TextField(blank=True)  # as the client wrote it: tus gives it back
    video = models.CharField(max_length=12, blank=True)  # what was made of it: its public id
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(offset__gte=0) & Q(offset__lte=models.F("size")),
                name="upload_offset_in_size",
            )
        ]


class Video(models.Model):
    """One short video. What its state may become stands in `states.FOLLOWS`."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id)
    author = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="videos")
    channel = models.ForeignKey(
        Channel, on_delete=models.SET_NULL, null=True, blank=True, related_name="videos"
    )
    upload_id = models.CharField(max_length=32, unique=True)  # finished twice is still one video
    caption = models.CharField(max_length=500, blank=True)
    tags = models.JSONField(default=list)  # as shown; the same words as rows are `VideoTag`
    words = models.CharField(max_length=1200, blank=True)  # caption and tags, folded for search
    captions = models.JSONField(default=list)  # [[language, source, version], ...] of `Caption`
    language = models.CharField(max_length=12, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices)

    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    failure = models.CharField(max_length=40, blank=True)  # a media.Reason, or "internal"
    failure_detail = models.CharField(max_length=300, blank=True)

    run = models.CharField(max_length=16, blank=True)  # the attempt that may write, see tasks.py
    source_key = models.CharField(max_length=200)  # the original, never served
    source_size = models.BigIntegerField()
    duration_ms = models.PositiveIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    poster_colour = models.CharField(max_length=7, blank=True)
    poster_base = models.CharField(max_length=200, blank=True)  # object key without .webp or .jpg
    first_rendition = models.CharField(max_length=8, blank=True)  # its name, once it is whole
    # [width, height, columns, cells, step_ms]; null: not tried yet, []: it could not be made
    storyboard = models.JSONField(null=True, blank=True)
    scrub_base = models.CharField(max_length=200, blank=True)  # key of both, up to their names
    # `_source` of each rendition (processing), fewest bits first
    sources = models.JSONField(default=list)
    av1 = models.BooleanField(null=True)  # null: not tried yet, False: it could not be made
    sound = models.ForeignKey(
        "Sound", on_delete=models.SET_NULL, null=True, blank=True, related_name="videos"
    )
    borrowed = models.BooleanField(default=False)  # its sound was chosen, and replaces its own

    created = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=300, blank=True)

    views = models.PositiveBigIntegerField(default=0)
    full_watches = models.PositiveBigIntegerField(default=0)
    likes = models.PositiveBigIntegerField(default=0)
    saves = models.PositiveBigIntegerField(default=0)
    shares = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["author", "-created"]),
            models.Index(fields=["channel", "-published_at"]),
            models.Index(fields=["-published_at"]),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="video_state_known"),
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values), name="video_visibility_known"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class VideoTag(models.Model):
    """A tag of a video as a row, so that a tag's videos are found by index on every database."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="tag_rows")
    word = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["word", "-video"])]
        constraints = [models.UniqueConstraint(fields=["video", "word"], name="tag_once")]


class Caption(models.Model):
    """What is said in a video, in one language, with times."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="caption_rows")
    language = models.CharField(max_length=12)
    source = models.CharField(max_length=10, choices=CaptionSource.choices)
    words = models.TextField()  # what is said, folded for search; before the text: read oftener
    text = models.TextField()  # WebVTT, as it is served

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "language"], name="captions_once_a_language"),
            models.CheckConstraint(
                condition=Q(source__in=CaptionSource.values), name="caption_source_known"
            ),
        ]


class Sound(models.Model):
    """What is heard in one video or many. Who may hear it and take it: `sounds.open_sounds`.

    Its file is among the objects of the video that it comes from, and goes with them.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id)
    origin = models.OneToOneField(
        Video, on_delete=models.SET_NULL, null=True, blank=True, related_name="origin_of"
    )
    key = models.CharField(max_length=200)
    duration_ms = models.PositiveIntegerField()
    fingerprint = models.BinaryField()  # of Chromaprint, see media.sounds
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.public_id


class SoundWord(models.Model):
    """A word of a sound's fingerprint, by which sounds that may be the same are found."""

    sound = models.ForeignKey(Sound, on_delete=models.CASCADE, related_name="words")
    word = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "sound"], name="sound_word_once")]


class Rendition(models.Model):
    """One finished file of a video: a fragmented MP4 with its index."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=8)  # "540", "720", "1080", "source", "540av1"
    key = models.CharField(max_length=200, unique=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bitrate_bps = models.PositiveIntegerField()  # the peak over its fragments
    average_bps = models.PositiveIntegerField()
    frame_rate = models.FloatField()
    codecs = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    init_size = models.PositiveIntegerField()
    fragments = models.JSONField()  # [[offset, size, duration_ms], ...]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "name"], name="one_rendition_a_name")
        ]


class Runner(models.Model):
    """Another machine of the operator that prepares videos for this site (`jhalak runner`)."""

    name = models.CharField(max_length=40, unique=True)
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256 of its token, in hex
    created = models.DateTimeField(auto_now_add=True)
    seen = models.DateTimeField(null=True, blank=True)  # when it was last heard of
    done = models.PositiveIntegerField(default=0)  # jobs that it did on the day `done_on`
    done_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Piece(models.Model):
    """A segment of the first rendition while it grows. Number 0 is the initialisation segment."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=200, unique=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "number"], name="one_piece_a_number")
        ]
