"""Work of people in the background."""

from __future__ import annotations

from jhalak import records
from jhalak.people import codes, pictures
from jhalak.people.sessions import SessionStore
from jhalak.records.jobs import Priority, Progress, every, task
from jhalak.records.models import Job

TIDY = "people.tidy"


@task(TIDY)
def tidy(_job: Job, progress: Progress) -> None:
    """Removes ended sessions, old codes, and pictures that no row names. Can run at any time."""
    SessionStore.clear_expired()
    codes.sweep()
    progress(0.5)
    pictures.sweep()


@every(3600, "people.tidy")
def tidy_soon() -> None:
    records.enqueue(TIDY, "all", priority=Priority.LATER)
