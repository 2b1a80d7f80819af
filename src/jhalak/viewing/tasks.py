"""Work of viewing in the background.

feed.learn   train on the log when it has grown; take back what made watches worse
"""

from __future__ import annotations

import logging

from jhalak import records
from jhalak.feed.models import ModelError
from jhalak.records.jobs import GiveUp, Job, Priority, Progress, every, task
from jhalak.viewing import training
from jhalak.viewing.counting import count_views

log = logging.getLogger(__name__)

LEARN = "feed.learn"

every(1, "viewing.count_views")(count_views)


@task(LEARN)
def learn(job: Job, progress: Progress) -> None:
    try:
        log.info("%s: %s", job.subject, training.do_learn(progress))
    except ModelError as error:
        raise GiveUp("model", str(error)) from error


@every(60, LEARN)
def learn_soon() -> None:
    if training.worth_a_look():
        records.enqueue(LEARN, training.KIND, priority=Priority.LATER, max_attempts=1)
