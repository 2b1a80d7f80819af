"""What the columns of this app hold: see jhalak.border.data_map."""

from __future__ import annotations

from jhalak.border.data_map import WHILE_INSTALLATION, Column, technical

COLUMNS: dict[str, Column] = {
    "LogCursor.name": technical(WHILE_INSTALLATION),
    "LogCursor.offset": technical(WHILE_INSTALLATION, "a place in the event log"),
}
