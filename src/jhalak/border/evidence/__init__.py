"""The evidence pack: one folder that a stranger checks with `verify.py`, without network."""

from __future__ import annotations

from jhalak.border.evidence.gathering import EvidenceError, Said, gather

__all__ = ["EvidenceError", "Said", "gather"]
