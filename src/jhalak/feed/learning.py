"""What each event changes: one function for each kind, and nothing else changes anything.

Pure in the log: no wall clock, no randomness, so that the same events in the same order give the
same state, bit for bit. Time is the event's own, which one wrong event may move by a day at most.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from jhalak.feed import events as ev
from jhalak.feed import held
from jhalak.feed.catalogue import Catalogue, Laid
from jhalak.feed.config import Config
from jhalak.feed.experiments.ledger import Experiments
from jhalak.feed.experiments.units import grown
from jhalak.feed.fairness import Fairness
from jhalak.feed.owed import Ledger
from jhalak.feed.places_file import decode as read_places
from jhalak.feed.statistics import Statistics
from jhalak.feed.taste import SIZE, Learner, Own, Prior
from jhalak.feed.tuning import Tuning
from jhalak.feed.viewers import KINDS, RECENT, End, Session, View, Viewers

DAY_MS = 24 * 3_600_000
LONGEST_MS = 2**40  # a stretch of 35 years: more than any clock allows, less than any overflow
UNRESERVED = frozenset({"scope", "link"})  # sources of pages on which no slot is reserved
LIKED, SAVED, SHARED, PROFILE, FOLLOWED = 1.5, 1.5, 2.0, 0.5, 1.0  # in full watches

ReadModel = Callable[[str, str], bytes]  # kind, digest -> artefact; see models.read


class State:
    """Everything that follows from the log, and nothing else."""

    def __init__(self, config: Config, read_model: ReadModel) -> None:
        self.config = config
        self.catalogue = Catalogue(config.trending_half_ms)
        self.learner = Learner(SIZE, Prior())
        self.viewers = Viewers(config, self.learner.new)
        self._feel = partial(held.feel, self.catalogue, config.interests)
        self.fairness = Fairness(config.skip_below)
        self.read_model = read_model
        self.models: dict[str, str] = {}  # digest of what is in force, by kind
        self._laid: Laid | None = None  # for the next event
        self.statistics = Statistics(config.skip_below)
        self.owed = Ledger(config.owed, self.catalogue)
        self.tuning = Tuning()
        self.experiments = Experiments()
        self.now_ms = 0
        self.offset = 0

    def time(self, at_ms: int) -> int:
        """The time of an event, at most a day after the latest before it."""
        if at_ms > self.now_ms:
            self.now_ms = min(at_ms, self.now_ms + DAY_MS) if self.now_ms else at_ms
        return min(at_ms, self.now_ms)

    def apply(self, event: ev.Event) -> bool:
        """Learns from one event. False when it is about something that is not known here."""
        return _APPLY[type(event)](self, event)

    def published(self, event: ev.Published) -> bool:
        self.time(event.published_ms)
        row = self.catalogue.publish(event, self.now_ms)
        self.owed.published(row, self.now_ms)
        return True

    def withdrawn(self, event: ev.Withdrawn) -> bool:
        known = self.catalogue.withdraw(event.video, event.reason)
        if known:
            self.owed.withdrawn(self.catalogue.row_of[event.video])
        return known

    def watched(self, event: ev.Watched) -> bool:
        """Counts a watch, or lets one go on: one view of one page may come as a part, a finish,
        another round; it is then judged anew on the sum, and counted once. However often it is
        watched, a viewer says what a video is worth to others once, and its author never (`news`).
        """
        row = self.catalogue.row_of.get(event.video)
        if row is None:
            return False
        at_ms = self.time(event.at_ms)
        session = self.viewers.active(event.viewer)
        watched_ms = min(max(0, event.watched_ms), LONGEST_MS)
        finished = event.kind in (ev.WatchKind.FINISHED, ev.WatchKind.REPLAYED)
        view = session.recent.pop(row, None)
        felt, heat, count = 0.0, 0.0, 1.0
        if view is not None and event.slate and view.slate == event.slate:
            watched_ms, finished = watched_ms + view.watched_ms, finished or view.finished
            felt, heat, count = view.felt, max(0.0, view.fair), 0.0
        else:
            view = None
            session.fade(at_ms, self.config.interest_half_ms, self.config.interest_fade)
            session.see(row, self.config.seen)
        news = float(session.saw_once(row) and not self.catalogue.is_by(row, event.viewer))
        if view is not None:
            self.fairness.learn(view.verdict.octave, view.verdict.bin, -news)
        duration_ms = self.catalogue.columns["duration"].item(row) or event.duration_ms
        verdict = self.fairness.judge(watched_ms, duration_ms, finished)
        self.fairness.learn(verdict.octave, verdict.bin, news)
        skipped = watched_ms < self.config.skip_below * duration_ms and not finished
        end = End.FINISHED if finished else End.SKIPPED if skipped else End.LEFT
        served_ms = event.served_ms or event.at_ms
        self._feel(session, row, verdict.felt - felt, count, served_ms)
        self.catalogue.watched(
            row,
            news * max(0.0, max(0.0, verdict.fair) - heat) * self.catalogue.weight_at(at_ms),
            news * count,
        )
        if count:
            free = held.may_teach(session, self.catalogue, row, served_ms)
            into = session if free else Session()
            self._answer(event.viewer, into, row, verdict.felt, end, at_ms, news)
            if news:
                self.owed.watched(row, self.now_ms, by_feed=event.source not in UNRESERVED)
        else:
            self._correct(event.viewer, session, row, verdict.felt, end, news)
        now = session.recent[row] = View(event.slate, watched_ms, finished, verdict)
        self.statistics.watched(event, at_ms, self.catalogue, row, now, view, news > 0.0)
        if event.arms and self.viewers.ties(event.viewer).learns:
            seen = grown(view, now, self.config.skip_below * duration_ms)
            self.experiments.watched(event.arms, event.viewer, at_ms, seen)
        if len(session.recent) > RECENT:
            session.recent.popitem(last=False)
        return True

    def not_interested(self, event: ev.NotInterested) -> bool:
        """Never this video again; its author, channel and tags as if skipped several times."""
        row = self.catalogue.row_of.get(event.video)
        if row is None:
            return False
        ties = self.viewers.declare(event.viewer)
        again = row in ties.refused
        ties.refuse(row, self.config.refused)
        if not again:
            self._gesture(event, -self.config.refusal, self.config.refusal)
        return True

    def interested(self, event: ev.NotInterestedUndone) -> bool:
        row = self.catalogue.row_of.get(event.video)
        if row is None or row not in self.viewers.ties(event.viewer).refused:
            return False
        del self.viewers.declare(event.viewer).refused[row]
        return self._gesture(event, self.config.refusal, -self.config.refusal)

    def liked(self, event: ev.Liked) -> bool:
        return self._gesture(event, LIKED, LIKED)

    def unliked(self, event: ev.Unliked) -> bool:
        return self._gesture(event, -LIKED, -LIKED)

    def saved(self, event: ev.Saved) -> bool:
        return self._gesture(event, SAVED, SAVED)

    def unsaved(self, event: ev.Unsaved) -> bool:
        return self._gesture(event, -SAVED, -SAVED)

    def shared(self, event: ev.Shared) -> bool:
        return self._gesture(event, SHARED, SHARED)

    def profile_opened(self, event: ev.ProfileOpened) -> bool:
        return self._gesture(event, PROFILE, PROFILE)

    def followed(self, event: ev.Followed) -> bool:
        author = self.catalogue.authors.code(event.author)
        follows = self.viewers.declare(event.viewer).follows
        if author not in follows:
            follows.add(author)
            self._take_to(event, author, FOLLOWED)
        return True

    def unfollowed(self, event: ev.Unfollowed) -> bool:
        author = self.catalogue.authors.find(event.author)
        if author not in self.viewers.ties(event.viewer).follows:
            return False
        self.viewers.declare(event.viewer).follows.discard(author)
        self._take_to(event, author, -FOLLOWED)
        return True

    def blocked(self, event: ev.Blocked) -> bool:
        self.viewers.declare(event.viewer).blocks.add(self.catalogue.authors.code(event.author))
        return True

    def unblocked(self, event: ev.Unblocked) -> bool:
        author = self.catalogue.authors.find(event.author)
        if author not in self.viewers.ties(event.viewer).blocks:
            return False
        self.viewers.declare(event.viewer).blocks.discard(author)
        return True

    def interest_removed(self, event: ev.InterestRemoved) -> bool:
        self.time(event.at_ms)
        return held.remove_interest(event, self.viewers, self.catalogue)

    def unwatched(self, event: ev.Unwatched) -> bool:
        if not held.has_watched(event.viewer, event.video, self.viewers, self.catalogue):
            return False
        view, after = held.unwatch(event, self.viewers, self.catalogue)
        if view is not None:
            part = self.config.interest_fade**after  # of its weight that the later ones left
            session = self.viewers.sessions.active(event.viewer)
            row = self.catalogue.row_of[event.video]
            self._feel(session, row, -view.felt * part, -part, 0)
        self.viewers.tastes.pop(event.viewer)  # learnt anew, from the answers that are left
        return True

    def paused(self, event: ev.LearningPaused) -> bool:
        return held.choose(event.viewer, self.viewers, "paused", True)

    def resumed(self, event: ev.LearningResumed) -> bool:
        return held.choose(event.viewer, self.viewers, "paused", False)

    def forgotten(self, event: ev.Forgotten) -> bool:
        self.experiments.forget(event.viewer)
        return held.forget(event.viewer, self.viewers)

    def declined(self, event: ev.PersonalDeclined) -> bool:
        self.experiments.forget(event.viewer)
        held.forget(event.viewer, self.viewers)
        return held.choose(event.viewer, self.viewers, "declined", True)

    def accepted(self, event: ev.PersonalAccepted) -> bool:
        return held.choose(event.viewer, self.viewers, "declined", False)

    def joined(self, event: ev.Joined) -> bool:
        self.time(event.at_ms)
        held.drop_removed(event.guest, event.member, self.viewers, self.catalogue)
        return self.viewers.join(event.guest, event.member)

    def prepare(self, event: ev.Promoted) -> None:
        """What takes long of a promotion, before it is applied as the next event: nothing that a
        page reads is changed. Raises as `promoted` does.
        """
        self._laid = None  # of a promotion that was refused after all
        self._laid = self._lay(event) if event.kind is ev.ModelKind.PLACES else None

    def _lay(self, event: ev.Promoted) -> Laid:
        data = self.read_model(event.kind, event.digest) if event.digest else None
        return self.catalogue.lay(None if data is None else read_places(data))

    def promoted(self, event: ev.Promoted) -> bool:
        """A trained artefact is in force. Raises ModelError when places cannot be used: what was in
        force before stays. A ranker shapes nothing here; pages look whether it can be used.
        """
        self.time(event.at_ms)
        if event.kind is ev.ModelKind.PLACES:
            self.catalogue.settle(self._laid or self._lay(event))
            self._laid = None
            self.learner.forget_places()
            self.viewers.tastes.clear()  # learnt anew from the answers, once they are asked for
        self.models[event.kind] = event.digest
        return True

    def tuned(self, event: ev.Tuned) -> bool:
        self.tuning.change(self.time(event.at_ms), event.values, event.reason)
        return True

    def experiment_started(self, event: ev.ExperimentStarted) -> bool:
        self.experiments.start(msgspec.structs.replace(event, at_ms=self.time(event.at_ms)))
        return True

    def experiment_stopped(self, event: ev.ExperimentStopped) -> bool:
        return self.experiments.stop(event, self.time(event.at_ms))

    def _gesture(self, event: Any, signal: float, weight: float) -> bool:
        row = self.catalogue.row_of.get(event.video)
        if row is None:
            return False
        session = self.viewers.active(event.viewer)
        at_ms = self.time(event.at_ms)
        session.fade(at_ms, self.config.interest_half_ms, 1.0)
        self._feel(session, row, signal, weight, event.at_ms)
        if weight > 0:
            self._gestured(event.viewer, session, row, signal > 0, at_ms)
        else:
            self.take_back(event.viewer, session, row, End.GESTURE if signal < 0 else End.REFUSED)
        return True

    def _answer(
        self,
        viewer: str,
        session: Session,
        row: int,
        felt: float,
        end: End,
        at_ms: int,
        news: float,
    ) -> None:
        """A watch teaches what was felt in [-1, 1]: about the viewer, and if news of the video."""
        columns = self.catalogue.columns
        own = self._own(viewer, session)
        columns["alone"][row], columns["unsure"][row] = self.learner.learn(
            own,
            columns["place"][row],
            columns["alone"].item(row),
            columns["unsure"].item(row),
            (1.0 + felt) / 2.0,
            shared=news > 0.0,
        )
        session.answer(row, felt, end, at_ms, self.config.answers)

    def _correct(
        self, viewer: str, session: Session, row: int, felt: float, end: End, news: float
    ) -> None:
        """The watch went on, and what was felt is another by now."""
        columns = self.catalogue.columns
        columns["alone"][row] = self.learner.correct(
            columns["place"][row],
            columns["alone"].item(row),
            columns["unsure"].item(row),
            session.answer_again(row, felt, end) / 2.0 * news,
        )
        self.viewers.tastes.pop(viewer)

    def _gestured(self, viewer: str, session: Session, row: int, good: bool, at_ms: int) -> None:
        """A gesture teaches about the viewer only: it can be taken back, and costs nobody time."""
        columns = self.catalogue.columns
        own = self._own(viewer, session)
        place = columns["place"][row]
        common = self.learner.average(place, columns["alone"].item(row))
        self.learner.learn_own(own, place, common, float(good))
        felt, end = (1.0, End.GESTURE) if good else (-1.0, End.REFUSED)
        session.answer(row, felt, end, at_ms, self.config.answers)

    def _own(self, viewer: str, session: Session) -> Own:
        """What is held about a viewer's taste, to be changed; learnt anew when it was let go. Of a
        session that nobody keeps, a taste that nobody keeps.
        """
        if session is not self.viewers.session(viewer):
            return self.own_of(session)
        tastes = self.viewers.tastes
        if tastes.get(viewer) is None:
            tastes.put(viewer, self.own_of(session))
        return tastes.active(viewer)

    def taste(self, viewer: str, session: Session | None) -> Own | None:
        """What is held about a viewer's taste, to be read only."""
        held = self.viewers.tastes.get(viewer)
        if held is None and session is not None and session.answers:
            return self.own_of(session)
        return held

    def own_of(self, session: Session) -> Own:
        """What a session's answers say about the viewer's taste, learnt anew."""
        rows, felt, _ = session.answered()
        columns = self.catalogue.columns
        return self.learner.relearn(
            columns["place"][rows], columns["alone"][rows], (1.0 + felt) / 2.0
        )

    def take_back(self, viewer: str, session: Session, row: int, end: End) -> None:
        """The last such gesture about a video was none, as far as the viewer's taste goes."""
        if session.take_back(row, (end,)):
            self.viewers.tastes.pop(viewer)

    def _take_to(self, event: ev.Followed | ev.Unfollowed, author: int, weight: float) -> None:
        session = self.viewers.active(event.viewer)
        session.fade(self.time(event.at_ms), self.config.interest_half_ms, 1.0)
        grown = weight * session.growth
        session.interests[KINDS.index("author")].add(author, grown, grown, self.config.interests)


_APPLY: dict[type, Callable[[State, Any], bool]] = {
    ev.Published: State.published,
    ev.Withdrawn: State.withdrawn,
    ev.Watched: State.watched,
    ev.NotInterested: State.not_interested,
    ev.NotInterestedUndone: State.interested,
    ev.Liked: State.liked,
    ev.Unliked: State.unliked,
    ev.Saved: State.saved,
    ev.Unsaved: State.unsaved,
    ev.Shared: State.shared,
    ev.ProfileOpened: State.profile_opened,
    ev.Followed: State.followed,
    ev.Unfollowed: State.unfollowed,
    ev.Blocked: State.blocked,
    ev.Unblocked: State.unblocked,
    ev.InterestRemoved: State.interest_removed,
    ev.Unwatched: State.unwatched,
    ev.LearningPaused: State.paused,
    ev.LearningResumed: State.resumed,
    ev.Forgotten: State.forgotten,
    ev.PersonalDeclined: State.declined,
    ev.PersonalAccepted: State.accepted,
    ev.Joined: State.joined,
    ev.Promoted: State.promoted,
    ev.Tuned: State.tuned,
    ev.ExperimentStarted: State.experiment_started,
    ev.ExperimentStopped: State.experiment_stopped,
    ev.Erased: lambda _state, _event: True,  # it teaches nothing
}
