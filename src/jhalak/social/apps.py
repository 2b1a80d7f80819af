from __future__ import annotations

from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "jhalak.social"
