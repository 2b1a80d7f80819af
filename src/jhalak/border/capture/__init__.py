"""An auditor's capture of the wire, held against the ledger: bytes on the wire are the ledger's
bytes and protocol overhead. A surplus on the wire is a leak, a surplus in the ledger a lie.
"""

from __future__ import annotations

from jhalak.border.capture.files import CaptureError
from jhalak.border.capture.reconciling import Flow, Reconciliation, reconcile

__all__ = ["CaptureError", "Flow", "Reconciliation", "reconcile"]
