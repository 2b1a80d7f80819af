"""What the feed holds about one viewer, as a plain struct, and how the viewer corrects it.

The viewer sees it, takes single things out, pauses, begins anew or declines. All of it comes as
events (see events.py), so a replay ends in the same state. Declared ties (follows, blocks) are not
among what is held here: they are changed where they were made.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec
import numpy as np

from jhalak.feed.catalogue import WORD, Catalogue
from jhalak.feed.config import Config
from jhalak.feed.events import InterestKind, InterestRemoved, Unwatched
from jhalak.feed.viewers import KINDS, PRIOR, Session, View, Viewers, last_of_each

HISTORY = 200  # videos of the history, and refusals, that are shown at most
FAINT = 0.001  # watches; less is what taking back left of rounding


class HeldInterest(msgspec.Struct, frozen=True):
    """`strength` in [-1, 1]: what the score is made with; below 0 for a dislike. `watches`: how
    many full watches' weight stands behind it, faded to now.
    """

    kind: InterestKind
    value: str  # slug, author's number, tag, language
    strength: float
    watches: float


class Held(msgspec.Struct, frozen=True):
    """Everything behavioural about one viewer. Videos: the latest first, HISTORY of each at most;
    `watched_count` and `refused_count` count all.
    """

    viewer: str
    personal: bool  # False: declined, and nothing is held
    learning: bool  # False: paused or declined
    interests: tuple[HeldInterest, ...]  # by kind, the strongest first, dislikes last
    refused: tuple[int, ...]  # videos told "not interested"
    refused_count: int
    watched: tuple[int, ...]
    watched_count: int
    answers: int  # watches and gestures from which the taste is drawn


def held(viewer: str, viewers: Viewers, catalogue: Catalogue, now_ms: int, config: Config) -> Held:
    """What is held at this time. Changes nothing."""
    ties = viewers.ties(viewer)
    session = viewers.session(viewer)
    if session is None:
        session = Session()
    else:
        session = session.copy()
        session.fade(max(now_ms, session.at_ms), config.interest_half_ms, 1.0)
    seen = set(session.seen)
    watched = [row for row in _watched(session)[::-1] if row in seen or row not in ties.refused]
    refused = list(ties.refused)[::-1]
    return Held(
        viewer=viewer,
        personal=not ties.declined,
        learning=ties.learns,
        interests=tuple(_interests(session, catalogue)),
        refused=tuple(catalogue.ids.item(row) for row in refused[:HISTORY]),
        refused_count=len(refused),
        watched=tuple(catalogue.ids.item(row) for row in watched[:HISTORY]),
        watched_count=len(watched),
        answers=len(session.answers),
    )


def _interests(session: Session, catalogue: Catalogue) -> Iterable[HeldInterest]:
    words = {"channel": catalogue.channels, "author": catalogue.authors}
    words["language"] = catalogue.languages
    for kind, interest in zip(KINDS, session.interests, strict=True):
        found = [
            HeldInterest(
                InterestKind(kind),
                str(code if kind == "tag" else words[kind].names[code]),
                interest.sums[code] / (weight + PRIOR * session.growth),
                weight / session.growth,
            )
            for code, weight in interest.weights.items()
            if weight > FAINT * session.growth
        ]
        yield from sorted(found, key=lambda one: (-one.strength, one.value))


def inputs(session: Session | None) -> tuple[str, ...]:
    """What learnt from behaviour is at hand for a page: the behavioural part of its feature log.

    Named by what there is, not by what stages read: none of them has to be trusted to tell. Empty
    without a session, and there is none for a page that is not personal.
    """
    if session is None:
        return ()
    found = [kind for kind, one in zip(KINDS, session.interests, strict=True) if one.sums]
    if session.seen:
        found.append("seen")
    if session.answers:
        found.append("taste")
    return tuple(found)


def remove_interest(event: InterestRemoved, viewers: Viewers, catalogue: Catalogue) -> bool:
    """Forgets one interest. What was served before it does not teach it again: the clip on the
    screen and those that wait in the player are of before. False when the value is unknown.
    """
    code = _code(event.kind, event.value, catalogue)
    if code is None or viewers.session(event.viewer) is None:
        return False
    session = viewers.sessions.active(event.viewer)
    interest = session.interests[KINDS.index(event.kind)]
    interest.sums.pop(code, None)
    interest.weights.pop(code, None)
    session.remove(event.kind, code, event.at_ms)
    _drop_answers(session, catalogue, event.kind, code)
    viewers.tastes.pop(event.viewer)  # learnt anew, from the answers that are left
    return True


def drop_removed(guest: str, member: str, viewers: Viewers, catalogue: Catalogue) -> None:
    """What a guest answered does not bring back what the member removed."""
    session = viewers.session(member)
    if session is None or viewers.session(guest) is None:
        return
    for kind, code in session.removed:
        _drop_answers(viewers.sessions.active(guest), catalogue, kind, code)


def _drop_answers(session: Session, catalogue: Catalogue, kind: str, code: int | str) -> None:
    """Forgets the answers about videos that have this channel, author, tag or language."""
    rows, _, _ = session.answered()
    if kind == "tag":
        tag = catalogue.tags.find(code)
        if tag < 0:  # no video has it any more; and -1 stands where a video has fewer tags
            return
        has = (catalogue.columns["tags"][rows] == tag).any(axis=1)
    else:
        has = catalogue.columns[kind][rows] == code
    session.keep_answers(~has)


def feel(
    catalogue: Catalogue,
    most: int,
    session: Session,
    row: int,
    signal: float,
    weight: float,
    served_ms: int,
) -> None:
    """Adds a signal to all that a video stands for, less what was removed since it was served. A
    negative weight takes back. `most`: interests of one kind that are kept.
    """
    columns, tags = catalogue.columns, catalogue.tags.names
    signal, weight = signal * session.growth, weight * session.growth
    channel, author, tag, language = session.interests
    for kind, interest in (("channel", channel), ("author", author), ("language", language)):
        code = columns[kind].item(row)
        if code >= 0 and session.teaches(kind, code, served_ms):
            interest.add(code, signal, weight, most)
    for code in columns["tags"][row].tolist():
        name = tags[code] if code >= 0 else ""
        if name and session.teaches("tag", name, served_ms):
            tag.add(name, signal, weight, most)


def may_teach(session: Session, catalogue: Catalogue, row: int, served_ms: int) -> bool:
    """Whether nothing that a video stands for was removed since it was served."""
    if not session.removed:
        return True
    columns = catalogue.columns
    things: list[tuple[str, int | str]] = [
        (kind, columns[kind].item(row)) for kind in ("channel", "author", "language")
    ]
    tags = columns["tags"][row].tolist()
    things += [("tag", catalogue.tags.names[code]) for code in tags if code >= 0]
    return all(session.teaches(kind, code, served_ms) for kind, code in things)


def unwatch(event: Unwatched, viewers: Viewers, catalogue: Catalogue) -> tuple[View | None, int]:
    """Takes a video out of the history. Returns its view, where it is one of the last few, and how
    many came after it: what it taught can then be taken back. What older ones taught has long been
    added up with the rest.
    """
    row, session = catalogue.row_of[event.video], viewers.sessions.active(event.viewer)
    session.seen = array("i", [one for one in session.seen if one != row])
    while session.take_back(row):
        pass
    if row not in session.recent:
        return None, 0
    after = len(session.recent) - 1 - list(session.recent).index(row)
    return session.recent.pop(row), after


def has_watched(viewer: str, video: int, viewers: Viewers, catalogue: Catalogue) -> bool:
    row, session = catalogue.row_of.get(video), viewers.session(viewer)
    return row is not None and session is not None and row in _watched(session)


def _watched(session: Session) -> list[int]:
    """Rows watched or answered (a clip may be liked and not watched), the latest last."""
    rows: list[int] = last_of_each(
        np.concatenate([session.answered()[0], session.seen_rows()])
    ).tolist()
    return rows


def forget(viewer: str, viewers: Viewers) -> bool:
    """Everything learnt goes, and the refusals. False when there was nothing."""
    session, refused = viewers.sessions.pop(viewer), bool(viewers.ties(viewer).refused)
    viewers.tastes.pop(viewer)
    if refused:
        viewers.declare(viewer).refused.clear()
    return session is not None or refused


def choose(viewer: str, viewers: Viewers, name: str, value: bool) -> bool:
    """Sets `paused` or `declined`. False when it was so already."""
    if getattr(viewers.ties(viewer), name) == value:
        return False
    setattr(viewers.declare(viewer), name, value)
    return True


def _code(kind: InterestKind, value: str, catalogue: Catalogue) -> int | str | None:
    """How a session names a value; None for one that nobody knows. A tag stands by its name, also
    when no video has it any more.
    """
    if kind is InterestKind.TAG:
        return value[:WORD] or None
    if kind is InterestKind.AUTHOR:
        plain = value.isascii() and value.isdigit() and len(value) < 20
        code = catalogue.authors.find(int(value)) if plain else -1
    else:
        words = catalogue.channels if kind is InterestKind.CHANNEL else catalogue.languages
        code = words.find(value[:WORD])
    return None if code < 0 else code
