from __future__ import annotations

from django.apps import AppConfig


class ViewingConfig(AppConfig):
    name = "jhalak.viewing"
