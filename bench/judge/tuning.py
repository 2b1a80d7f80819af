"""Finds the settings of baselines and of ours.

`python -m bench.judge.tuning [NAME ...]` writes tuned.json. On the tuning half of KuaiRec's
viewers, which no reported figure is about.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable
from functools import partial

from bench.judge import data
from bench.judge.entries import BASELINES, FIRST_DAY, TUNED, Entry
from bench.judge.loop import play
from bench.judge.ours import OURS
from bench.judge.recommender import Log


def tune(entries: Iterable[Entry], world: data.World, logged: Log | None) -> None:
    """Tries every setting of each entry and keeps the best: most likes per 100 swipes."""
    for entry in entries:
        tried = []
        for settings in entry.settings:
            played = play(partial(entry.make, **settings), world, logged)
            likes = float(played.per_100.mean())
            tried.append((likes, settings))
            print(f"{entry.name:30} {likes:6.2f}  {settings}", flush=True)
        likes, settings = max(tried, key=lambda one: one[0])
        kept = json.loads(TUNED.read_text("utf-8")) if TUNED.exists() else {}
        kept[entry.name] = {"settings": settings, "likes_per_100": round(likes, 3)}
        TUNED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    wanted = set(sys.argv[1:])
    if importlib.util.find_spec("torch") is not None:
        from bench.judge import sasrec_entries

        trained = sasrec_entries.LOOP
        if not wanted or sasrec_entries.NEXT in wanted:
            sasrec_entries.tune(data.beauty())
    else:
        trained = []
    tuning, _report = data.kuairec().halves()
    for entries, logged in (([*BASELINES, *trained, *OURS], tuning.logged), (FIRST_DAY, None)):
        known = [entry for entry in entries if entry.settings]
        tune([one for one in known if not wanted or one.name in wanted], tuning, logged)
