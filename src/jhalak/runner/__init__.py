"""`jhalak runner`: prepares videos for a site on another machine, and keeps nothing of them.

It pulls: asks the site for a job, streams the original, runs the same code as the site's own worker
(`videos.making`), and brings what is made as it is made. It needs no database, no store and no
open port; a token that the operator gave it is all it has. Each job is in a folder of its own that
is removed with it; what a killed runner left is removed when the next one starts there.
"""

from __future__ import annotations

from jhalak.runner.line import RunnerError
from jhalak.runner.working import run

__all__ = ["RunnerError", "run"]
