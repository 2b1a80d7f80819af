"""The gate: places are put in force only when they tell what felt good better than what is.

The newest part of the log, from which neither side was trained, is played to the feed's learner
(taste.posterior) once with each side's places, answer by answer: what it says before each view is
held against what came. Compared are

    AUC        within each viewer, weighed by views (GAUC: Zhou et al., "Deep interest network",
               KDD 2018): does it put first what felt good? It alone orders a page.
    log loss   in nats: are its chances true?

Both sides see the same views in the same order. The interval of the difference is a bootstrap over
viewers, since the views of one viewer are no independent evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from jhalak.feed.places_file import Places
from jhalak.feed.taste import SIZE, Learner, Own, Prior
from jhalak.feed.training.answers import Answers, Ints
from jhalak.feed.training.places import lay

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Told = tuple[str, Floats, Floats]  # name, and of each view score and chance that it feels good

NEWEST = 0.1  # share of the answers that are kept back
VIEWS = 4_000  # that are judged: of viewers drawn evenly ...
PLAYED = 20_000  # ... with what they answered before, as many answers as this: some seconds
MEMORY = 64  # a viewer's last answers before, from which the learner begins
MARGIN = 0.002  # of AUC, that a candidate must gain over what is in force
SURE = 0.9  # share of the resamples in which it must gain at all
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Side:
    """One way to place the videos; `places` None is by their words alone."""

    name: str
    places: Places | None


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    auc: float  # within viewers
    loss: float  # nats


@dataclass(frozen=True, slots=True)
class Verdict:
    """`gain`: of the candidate's AUC over the other's, with its interval of 95 %. `why`: what
    speaks against it; empty when it passes.
    """

    views: int
    viewers: int
    good: float  # share of the views
    candidate: Row
    other: Row
    gain: float
    interval: tuple[float, float]
    why: str

    @property
    def passed(self) -> bool:
        return not self.why


def as_facts(verdict: Verdict) -> dict[str, float | str]:
    """For a manifest."""
    return {
        "views": float(verdict.views),
        "viewers": float(verdict.viewers),
        "auc": verdict.candidate.auc,
        "log_loss": verdict.candidate.loss,
        "against": verdict.other.name,
        "against_auc": verdict.other.auc,
        "against_log_loss": verdict.other.loss,
        "gain": verdict.gain,
    }


def split(answers: Answers, after: int = 0) -> int:
    """The offset up to which may be learnt: what is before the newest part, or all up to `after`,
    which is how far what is in force has learnt.
    """
    cut = int((1.0 - NEWEST) * len(answers.offset))
    return max(after, int(answers.offset[cut - 1])) if cut else after


def judge(
    answers: Answers, kept_back: int, candidate: Side, other: Side, *, in_force: bool, seed: int
) -> Verdict:
    """The candidate against the other on the views after the offset `kept_back`. `in_force`: the
    other was trained too, and is left only for something better; else as good is enough.
    """
    played = drawn(answers, kept_back, seed)
    views = played[answers.offset[played] > kept_back]
    good, viewer = answers.good[views], answers.viewer[views]
    told = [
        (side.name, *_play(answers, played, kept_back, side.places)) for side in (candidate, other)
    ]
    return compare(viewer, good, told[0], told[1], in_force=in_force, seed=seed)


def compare(
    viewer: Ints, good: Bools, candidate: Told, other: Told, *, in_force: bool, seed: int
) -> Verdict:
    """What two sides said of the same views, before they came, against what came."""
    sides = [candidate[1:], other[1:]]
    aucs = [_within(viewer, good, score) for score, _ in sides]
    losses = [_loss(good, chance) for _, chance in sides]
    told = ~np.isnan(aucs[0])
    share = float(good.mean()) if len(good) else 0.0
    if not told.any():
        first, second = Row(candidate[0], 0.5, losses[0]), Row(other[0], 0.5, losses[1])
        why = "no viewer answered both ways: nothing can be told"
        return Verdict(len(good), 0, share, first, second, 0.0, (0.0, 0.0), why)
    weight = np.unique(viewer, return_counts=True)[1][told].astype(np.float64)
    means = [float(auc[told] @ weight / weight.sum()) for auc in aucs]
    draws = np.random.default_rng(seed).multinomial(
        len(weight), np.full(len(weight), 1.0 / len(weight)), RESAMPLES
    )
    resampled = draws @ (weight * (aucs[0] - aucs[1])[told]) / (draws @ weight)
    low, high = (float(edge) for edge in np.quantile(resampled, [0.025, 0.975]))
    first, second = (
        Row(side[0], auc, loss)
        for side, auc, loss in zip((candidate, other), means, losses, strict=True)
    )
    why = _against(first, second, float((resampled > 0).mean()), in_force)
    gain = first.auc - second.auc
    return Verdict(len(good), len(weight), share, first, second, gain, (low, high), why)


def loss(answers: Answers, played: Ints, kept_back: int, places: Places | None) -> float:
    """The log loss of these places on the views among the played ones, after the offset."""
    good = answers.good[played[answers.offset[played] > kept_back]]
    return _loss(good, _play(answers, played, kept_back, places)[1])


def _against(candidate: Row, other: Row, sure: float, in_force: bool) -> str:
    gain, least = candidate.auc - other.auc, MARGIN if in_force else 0.0
    if gain < least:
        return f"its AUC gains {gain:+.4f}, and {least:+.4f} is the least"
    if in_force and sure < SURE:
        return f"its gain is not sure: it is there in {sure:.0%} of the resamples"
    if candidate.loss > other.loss:
        return f"its log loss is {candidate.loss:.4f}, over {other.loss:.4f}"
    return ""


def drawn(answers: Answers, kept_back: int, seed: int) -> Ints:
    """Answers to be played, ascending: the views of viewers drawn evenly, and the last MEMORY
    answers of each before.
    """
    order = np.argsort(answers.viewer, kind="stable")
    lines = np.split(order, np.flatnonzero(np.diff(answers.viewer[order])) + 1)
    new = answers.offset > kept_back
    drawn: list[Ints] = [order[:0]]
    views = answered = 0
    for place in np.random.default_rng(seed).permutation(len(lines)).tolist():
        line = lines[place]
        count = int(new[line].sum())
        if not count:
            continue
        drawn.append(line[max(0, len(line) - count - MEMORY) :])
        views, answered = views + count, answered + len(drawn[-1])
        if views >= VIEWS or answered >= PLAYED:
            break
    return np.sort(np.concatenate(drawn))


def _play(
    answers: Answers, played: Ints, kept_back: int, places: Places | None
) -> tuple[Floats, Floats]:
    """For each view after the offset, from what was answered before it: the log-odds by which a
    page would be ordered, and the chance that it feels good.
    """
    where = lay(places, answers.facts, answers.video[played])
    prior = Prior()
    learner = Learner(SIZE, prior)
    alone = [0.0] * len(where)
    unsure = [prior.video_variance] * len(where)
    viewers: dict[int, Own] = {}
    scores, chances = [], []
    for at in played.tolist():
        video = answers.video.item(at)
        own = viewers.get(answers.viewer.item(at))
        if own is None:
            own = viewers[answers.viewer.item(at)] = learner.new()
        place = where[video]
        if answers.offset.item(at) > kept_back:
            score = float(learner.mean[1:] @ place + own.mean @ place) + alone[video]
            scores.append(score)
            odds = score + learner.mean.item(0) + own.level
            chances.append(1.0 / (1.0 + exp(-min(30.0, max(-30.0, odds)))))
        answer = (1.0 + answers.felt.item(at)) / 2.0
        alone[video], unsure[video] = learner.learn(own, place, alone[video], unsure[video], answer)
    return np.array(scores), np.array(chances)


def _within(viewer: Ints, good: Bools, score: Floats) -> Floats:
    """Each viewer's AUC; NaN for one whose answers are all alike."""
    found = []
    for one in np.unique(viewer).tolist():
        mine = viewer == one
        liked, others = score[mine & good], score[mine & ~good]
        more = np.sign(liked[:, None] - others[None, :])
        found.append((float(more.mean()) + 1.0) / 2.0 if more.size else np.nan)
    return np.array(found)


def _loss(good: Bools, chance: Floats) -> float:
    said = np.clip(np.where(good, chance, 1.0 - chance), 1e-6, 1.0)
    return -float(np.log(said).mean()) if len(good) else 0.0
