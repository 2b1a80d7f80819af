"""Jhalak (झलक, "a glimpse"): a short-video platform that a country can keep.

The rooms and who may import whom: docs/architecture.md, kept true by the contracts in
pyproject.toml.
"""

import os

# onnxruntime calls its maker from 1.29 on (its device's name, what models it loads), and keeps what
# it could not send in the user's home. It looks for this once, when it is loaded; so does whatever
# we start.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
