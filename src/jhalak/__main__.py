"""`python -m jhalak`: the same as the `jhalak` command."""

from __future__ import annotations

from jhalak.cli import main

if __name__ == "__main__":
    main()
