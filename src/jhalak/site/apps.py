from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "jhalak.site"
    label = "jhalak_site"
