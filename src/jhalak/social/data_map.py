"""What every column of social holds, why, for how long, and how it ends."""

from __future__ import annotations

from jhalak.border.data_map import WHILE_ITEM, Basis, Column, DataClass, Purpose, Subject, technical

_MARK = Column(
    DataClass.BEHAVIOUR,
    Purpose.SERVICE,
    Basis.SERVICE,
    WHILE_ITEM,
    note="until taken back, or the video or the account is gone",
)

COLUMNS: dict[str, Column] = {
    f"{model}.{column}": technical() if column == "id" else _MARK
    for model in ("Like", "Save", "Share")
    for column in ("id", "person_id", "video_id", "created")
}

SUBJECTS: dict[str, Subject] = {
    model: Subject(
        ("person", "video__author"),
        ("person",),
        "who liked, saved or shared your clips did it for themselves: you see how many",
    )
    for model in ("Like", "Save", "Share")
}
