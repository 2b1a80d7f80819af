"""The engine's state as bytes, and back: the same state gives the same bytes.

    line 1   "jhalak feed 6\\n"
    parts    each its length in 8 bytes, then MessagePack of `_Part`
    seal     sha-256 of all before, 32 bytes

Pages wait for nobody who writes all this: `freeze` takes what there is in a moment, and `dumps`
makes bytes of it in small parts, so that other threads have their turn between them.

Only what cannot be made again from the rest is kept; orders by time are made anew. Sets are
sorted; dicts keep their order, which is the order of events and part of the state.
A file that is cut off, altered, of another version or made with settings that shape the state
otherwise is refused as a whole: the log is the truth and is then replayed from its beginning.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np

from jhalak.feed.catalogue import KINDS as COLUMNS
from jhalak.feed.catalogue import Catalogue
from jhalak.feed.columns import Column
from jhalak.feed.config import Config
from jhalak.feed.events import ModelKind
from jhalak.feed.experiments import kept as trials
from jhalak.feed.fairness import Verdict
from jhalak.feed.learning import ReadModel, State
from jhalak.feed.models import ModelError
from jhalak.feed.numbered import Tags, Words
from jhalak.feed.orderings import Hot
from jhalak.feed.owed import Kept as KeptOwed
from jhalak.feed.places_file import decode as read_places
from jhalak.feed.taste import SIZE, Learner, Own
from jhalak.feed.viewers import KeptTies, Session, Ties, View, Viewers

FILE = "feed.snapshot"
MAGIC = b"jhalak feed 6\n"
LENGTH, SEAL = 8, 32  # bytes
AT_ONCE = 16  # viewers in one part: about a millisecond of work
_LOWER = np.tril_indices(SIZE)
MARKS, IMPRESSIONS = "marks", "impressions"  # kept as columns
# Settings that decide what the state is, and not only how pages are drawn from it.
SHAPING = (
    "trending_half_ms", "interest_half_ms", "interest_fade", "skip_below", "refusal", "members",
    "guests", "seen", "refused", "interests", "answers", "tastes",
)  # fmt: skip
SHAPING_OWED = ("impressions", "within_ms", "share", "of_one")


class BadSnapshot(Exception):
    """A snapshot that cannot be used; the message says why."""


class _Hot(msgspec.Struct, array_like=True):
    rows: bytes
    threshold: float


class _Session(msgspec.Struct, array_like=True):
    at_ms: int
    growth: float
    interests: list[tuple[list[int | str], list[float], list[float]]]
    seen: bytes
    recent: list[tuple[int, str, int, bool, Verdict]]
    answers: bytes
    felt: bytes
    ends: bytes
    times: bytes
    removed: list[tuple[str, int | str, int]]


class _Own(msgspec.Struct, array_like=True):
    mean: bytes
    cov: bytes  # the lower triangle, row after row
    level: float
    level_variance: float


class _Facts(msgspec.Struct, tag="facts"):
    """The first part."""

    shape: dict[str, float]
    offset: int
    now_ms: int
    epoch_ms: int
    count: int
    authors: list[int]
    channels: list[str]
    languages: list[str]
    tags: list[str]
    hot: _Hot
    hot_by_language: list[tuple[int, _Hot]]
    fair_counts: list[list[float]]
    fair_totals: list[float]
    forgotten: int
    models: dict[str, str]
    shared_mean: bytes
    shared_cov: bytes
    statistics: bytes
    owed: KeptOwed


class _Column(msgspec.Struct, tag="column"):
    name: str
    data: bytes


class _Sessions(msgspec.Struct, tag="sessions"):
    held: list[tuple[str, _Session]]


class _Ties(msgspec.Struct, tag="ties"):
    held: list[tuple[str, KeptTies]]


class _Tastes(msgspec.Struct, tag="tastes"):
    held: list[tuple[str, _Own]]


_Part: TypeAlias = _Facts | _Column | _Sessions | _Ties | _Tastes | trials.KeptTrials
_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[memoryview], _Part] = msgspec.msgpack.Decoder(_Part).decode


class Frozen(NamedTuple):
    """A state at one moment; nothing in it changes any more."""

    facts: _Facts
    columns: dict[str, Column]
    sessions: Iterator[tuple[str, Session]]
    ties: Iterator[tuple[str, Ties]]
    tastes: Iterator[tuple[str, Own]]
    trials: trials.KeptTrials


def freeze(state: State) -> Frozen:
    """Takes the state as it is. Quick: columns are copied, viewers only once they change."""
    catalogue, viewers = state.catalogue, state.viewers
    count = catalogue.count
    facts = _Facts(
        shape=_shape(state.config),
        offset=state.offset,
        now_ms=state.now_ms,
        epoch_ms=catalogue.epoch_ms,
        count=count,
        authors=catalogue.authors.names.copy(),
        channels=catalogue.channels.names.copy(),
        languages=catalogue.languages.names.copy(),
        tags=catalogue.tags.names.copy(),
        hot=_keep_hot(catalogue.hot),
        hot_by_language=[
            (code, _keep_hot(hot)) for code, hot in sorted(catalogue.hot_by_language.items())
        ],
        fair_counts=[counts.copy() for counts in state.fairness.counts],
        fair_totals=state.fairness.totals.copy(),
        forgotten=viewers.sessions.forgotten,
        models=dict(sorted(state.models.items())),
        shared_mean=_little(state.learner.mean),
        shared_cov=_little(state.learner.cov),
        statistics=state.statistics.dumps(),
        owed=state.owed.keep(),
    )
    columns = catalogue.columns | {MARKS: catalogue.marks}
    return Frozen(
        facts,
        {name: column[:count].copy() for name, column in columns.items()}
        | {IMPRESSIONS: state.statistics.copy_of_impressions()},
        viewers.sessions.freeze(),
        viewers.all_ties.freeze(),
        viewers.tastes.freeze(),
        trials.keep(state.tuning, state.experiments),
    )


def dumps(frozen: Frozen) -> Iterator[bytes]:
    """The bytes of a snapshot, piece by piece. To be asked for once: it uses `frozen` up."""
    seal = hashlib.sha256()
    for piece in _pieces(frozen):
        seal.update(piece)
        yield piece
    yield seal.digest()


def _pieces(frozen: Frozen) -> Iterator[bytes]:
    yield MAGIC
    for part in _parts(frozen):
        body = _encode(part)
        yield len(body).to_bytes(LENGTH, "little")
        yield body


def _parts(frozen: Frozen) -> Iterator[_Part]:
    yield frozen.facts
    for name, column in frozen.columns.items():
        yield _Column(name, _little(column))
    while some := list(islice(frozen.sessions, AT_ONCE)):
        yield _Sessions([(viewer, _keep_session(session)) for viewer, session in some])
    while declared := list(islice(frozen.ties, AT_ONCE)):
        yield _Ties([(viewer, ties.kept()) for viewer, ties in declared])
    while tastes := list(islice(frozen.tastes, AT_ONCE)):
        yield _Tastes([(viewer, _keep_own(own)) for viewer, own in tastes])
    yield frozen.trials


def loads(data: bytes, config: Config, models: ReadModel) -> State:
    """The state in these bytes. Raises BadSnapshot."""
    if not data.startswith(MAGIC):
        raise BadSnapshot("it is no feed snapshot of this version")
    whole = memoryview(data)[:-SEAL]
    if hashlib.sha256(whole).digest() != data[-SEAL:]:
        raise BadSnapshot("it is cut off or was altered: its checksum does not hold")
    try:
        return _restore(_read(whole[len(MAGIC) :]), State(config, models))
    except (msgspec.DecodeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise BadSnapshot(f"it does not hold together: {error}") from error


def _read(data: memoryview) -> Iterator[_Part]:
    while data:
        end = LENGTH + int.from_bytes(data[:LENGTH], "little")
        yield _decode(data[LENGTH:end])
        data = data[end:]


def save(folder: Path, data: Iterable[bytes]) -> Path:
    """Puts a snapshot in the folder; a crash leaves the one before or this one, never a part."""
    folder.mkdir(parents=True, exist_ok=True)
    target, fresh = folder / FILE, folder / f"{FILE}.{os.getpid()}.new"
    with fresh.open("wb") as file:
        file.writelines(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # the rename is durable only when the folder is
    finally:
        os.close(handle)
    return target


def read(folder: Path, config: Config, models: ReadModel) -> State | None:
    """The state kept in a folder; None when there is none. Raises BadSnapshot."""
    try:
        data = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadSnapshot(f"it cannot be read: {error}") from error
    return loads(data, config, models)


def _shape(config: Config) -> dict[str, float]:
    shape = {name: float(getattr(config, name)) for name in SHAPING}
    return shape | {f"owed.{name}": float(getattr(config.owed, name)) for name in SHAPING_OWED}


def _restore(parts: Iterator[_Part], state: State) -> State:
    facts = next(parts, None)
    if not isinstance(facts, _Facts):
        raise ValueError("it does not begin with its facts")
    if facts.shape != _shape(state.config):
        raise BadSnapshot("it was made with other settings")
    state.offset, state.now_ms = facts.offset, facts.now_ms
    state.fairness.counts, state.fairness.totals = facts.fair_counts, facts.fair_totals
    viewers = state.viewers
    viewers.sessions.forgotten = facts.forgotten
    _restore_shared(facts, state)
    columns: dict[str, bytes] = {}
    for part in parts:
        if isinstance(part, _Column):
            columns[part.name] = part.data
        elif isinstance(part, trials.KeptTrials):
            trials.restore(part, state.tuning, state.experiments)
        else:
            _restore_viewers(part, viewers)
    _restore_catalogue(facts, columns, state.catalogue)
    state.statistics.loads(facts.statistics, columns[IMPRESSIONS])
    state.owed.restore(facts.owed)
    return state


def _restore_viewers(part: _Part, viewers: Viewers) -> None:
    match part:
        case _Sessions(held=held):
            for viewer, session in held:
                viewers.sessions.shelf(viewer)[viewer] = _session(session)
        case _Ties(held=declared):
            for viewer, ties in declared:
                viewers.all_ties.shelf(viewer)[viewer] = Ties(*ties)
        case _Tastes(held=tastes):
            for viewer, own in tastes:
                viewers.tastes.shelf(viewer)[viewer] = _own(own)


def _restore_shared(facts: _Facts, state: State) -> None:
    """What everybody's answers say, and the trained words that new videos are placed by."""
    learner: Learner = state.learner
    learner.mean[:] = np.frombuffer(facts.shared_mean, "<f8")
    learner.cov[:] = np.frombuffer(facts.shared_cov, "<f8").reshape(learner.cov.shape)
    state.models = facts.models
    digest = facts.models.get(ModelKind.PLACES)
    if digest:
        try:
            state.catalogue.places = read_places(state.read_model(ModelKind.PLACES, digest))
        except (ModelError, ValueError) as error:
            raise BadSnapshot(f"it needs trained places that cannot be used: {error}") from error


def _restore_catalogue(facts: _Facts, columns: dict[str, bytes], catalogue: Catalogue) -> None:
    count, catalogue.epoch_ms = facts.count, facts.epoch_ms
    while catalogue.capacity < count:
        catalogue.grow()
    catalogue.count = count
    for name, (kind, shape, _) in COLUMNS.items():
        stored = np.frombuffer(columns[name], np.dtype(kind).newbyteorder("<"))
        catalogue.columns[name][:count] = stored.reshape(count, *shape)
    catalogue.marks[:count] = np.frombuffer(columns[MARKS], np.uint8)
    catalogue.authors, catalogue.channels = Words(facts.authors), Words(facts.channels)
    catalogue.languages = Words(facts.languages)
    tags = catalogue.columns["tags"][:count]
    catalogue.tags = Tags(facts.tags, tags[tags >= 0].tolist())
    _restore_hot(catalogue.hot, facts.hot)
    for code, hot in facts.hot_by_language:
        _restore_hot(catalogue.hot_of(code), hot)
    catalogue.reindex()


def _little(column: Column) -> bytes:
    return column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()


def _keep_hot(hot: Hot) -> _Hot:
    return _Hot(hot.rows.tobytes(), hot.threshold)


def _restore_hot(hot: Hot, kept: _Hot) -> None:
    hot.rows = array("i", kept.rows)
    hot.threshold = kept.threshold


def _keep_session(session: Session) -> _Session:
    return _Session(
        session.at_ms,
        session.growth,
        [
            (list(one.sums), list(one.sums.values()), [one.weights[code] for code in one.sums])
            for one in session.interests
        ],
        session.seen.tobytes(),
        [
            (row, view.slate, view.watched_ms, view.finished, view.verdict)
            for row, view in session.recent.items()
        ],
        session.answers.tobytes(),
        session.felt.tobytes(),
        session.ends.tobytes(),
        session.times.tobytes(),
        [(kind, code, at_ms) for (kind, code), at_ms in session.removed.items()],
    )


def _session(kept: _Session) -> Session:
    session = Session()
    session.at_ms, session.growth = kept.at_ms, kept.growth
    for interest, (codes, sums, weights) in zip(session.interests, kept.interests, strict=True):
        interest.sums = dict(zip(codes, sums, strict=True))
        interest.weights = dict(zip(codes, weights, strict=True))
    session.seen = array("i", kept.seen)
    for row, slate, watched_ms, finished, verdict in kept.recent:
        session.recent[row] = View(slate, watched_ms, finished, verdict)
    session.answers, session.felt = array("i", kept.answers), array("f", kept.felt)
    session.ends, session.times = array("B", kept.ends), array("q", kept.times)
    session.removed = {(kind, code): at_ms for kind, code, at_ms in kept.removed}
    return session


def _keep_own(own: Own) -> _Own:
    return _Own(_little(own.mean), _little(own.cov[_LOWER]), own.level, own.level_variance)


def _own(kept: _Own) -> Own:
    cov = np.empty((SIZE, SIZE), np.float32)
    cov[_LOWER] = np.frombuffer(kept.cov, "<f4")
    cov.T[_LOWER] = cov[_LOWER]
    mean = np.frombuffer(kept.mean, "<f4").copy()
    return Own(mean, cov, kept.level, kept.level_variance)
