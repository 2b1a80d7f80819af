"""How far each reader of the event log has come that writes what it read into rows."""

from __future__ import annotations

from django.db import models


class LogCursor(models.Model):
    """Moved in one transaction with the rows that it stands for: nothing counts twice or never."""

    name = models.CharField(max_length=40, primary_key=True)
    offset = models.BigIntegerField(default=0)
