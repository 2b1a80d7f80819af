"""The verifier of evidence packs. It is one file that a stranger can read, and imports nothing of
the rest: `verify.py`.
"""
