"""Jobs: what an app and a process need of them. The parts: registry (what can be done), leases (how
a job moves), worker (who does it), states, models.Job (the row).
"""

from __future__ import annotations

from jhalak.records.models import Job, Priority
from jhalak.records.registry import GiveUp, LeaseLost, Progress, Retry, every, task
from jhalak.records.states import JobState
from jhalak.records.worker import run_due, run_worker

__all__ = [
    "GiveUp",
    "Job",
    "JobState",
    "LeaseLost",
    "Priority",
    "Progress",
    "Retry",
    "every",
    "run_due",
    "run_worker",
    "task",
]
