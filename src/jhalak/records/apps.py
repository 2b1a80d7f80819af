from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RecordsConfig(AppConfig):
    name = "jhalak.records"

    def ready(self) -> None:
        """Every app's `tasks.py` registers its kinds of jobs."""
        autodiscover_modules("tasks")
