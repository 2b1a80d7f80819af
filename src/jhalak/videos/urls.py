"""Addresses of media, under /media/."""

from __future__ import annotations

from django.urls import path

from jhalak.videos.media_views import person_picture, sound_file, video_media

urlpatterns = [
    path("people/<str:handle>/<str:name>", person_picture),
    path("sounds/<str:public_id>.m4a", sound_file),
    path("<str:public_id>/<str:name>", video_media),
]
