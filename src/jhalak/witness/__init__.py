"""`jhalak witness`: a small service that cosigns checkpoints, for whoever wants to vouch that a log
shows everybody the same history. It needs its folder and the logs' keys; nothing of a site.
"""

from __future__ import annotations

from jhalak.witness.asking import WitnessError, ask
from jhalak.witness.service import serve

__all__ = ["WitnessError", "ask", "serve"]
