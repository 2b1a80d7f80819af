"""Jhalak (झलक, "a glimpse"): a short-video platform that a country can keep.

The rooms and who may import whom: docs/architecture.md, kept true by the contracts in
pyproject.toml.
"""

__version__ = "0.1.0"
