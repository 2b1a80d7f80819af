"""Training of the ranker (feed.ranker). `examples` replays the log and keeps what the engine knew
before each view and what came of it; `network` fits (torch, the extra "train"); `graph` writes the
file; `proposal` puts it before the gate. Only `network` needs torch, and only when it is called.
"""
