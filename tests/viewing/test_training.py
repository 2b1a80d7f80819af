"""What is trained is put in force, looked after and taken back: in the log, in the audit, in the
engine, and never more than one of them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from jhalak import records
from jhalak.border.log.entries import Kind, read_entry
from jhalak.feed import models, places_file
from jhalak.feed.events import Event, Promoted, decode, encode
from jhalak.feed.taste import SIZE
from jhalak.feed.training import Proposal, Verdict
from jhalak.feed.training import proposal as proposals
from jhalak.feed.training.gate import Row
from jhalak.options import options
from jhalak.records.jobs import Job, JobState, run_due
from jhalak.records.models import AuditEntry, LedgerEntry
from jhalak.stores.events import NewEvent
from jhalak.viewing import tasks, training
from jhalak.viewing.commands import feed_cli
from jhalak.viewing.host import host
from tests.feed.worlds import crowd, video, watch

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path("feed/models")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small log is enough: for what does not depend on what is learnt."""
    monkeypatch.setattr(proposals, "FEWEST", 500)
    monkeypatch.setattr(proposals, "FEWEST_JUDGED", 50)


def tell(events: list[Event]) -> None:
    start = records.events().last()
    new = [NewEvent(f"e{start + number}", encode(one)) for number, one in enumerate(events)]
    for at in range(0, len(new), 1_000):
        records.events().append(new[at : at + 1_000])


def served() -> str:
    return host().fresh().report()["models"].get("places", "")


def candidate(seed: int, why: str = "") -> Proposal:
    """A proposal that was not trained, with a verdict to order."""
    places = np.random.default_rng(seed).normal(size=(3, SIZE)) / SIZE
    artefact = places_file.encode(np.arange(3), places, {})
    manifest = models.Manifest(
        kind=training.KIND,
        sha256=models.sha256(artefact),
        size=len(artefact),
        data=models.Span(1, 1, 1, ""),
        code="",
        seed=seed,
        settings={"learnt_to": 0.0},
        gate={"auc": 0.6},
        libraries={},
    )
    rows = Row("candidate", 0.6, 0.6), Row("words alone", 0.5, 0.7)
    return Proposal(artefact, manifest, Verdict(9, 9, 0.5, *rows, 0.1, (0.0, 0.2), why))


@pytest.mark.slow
def test_the_worker_learns_by_itself_and_pages_know() -> None:
    tell(crowd())
    tasks.learn_soon()
    assert run_due() == 1
    assert Job.objects.get(kind=tasks.LEARN).state == JobState.DONE
    digest = training.in_force().digest
    assert served() == digest
    manifest = models.read_manifest(options().folder / FOLDER, digest)
    assert manifest.data.last <= records.events().last()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object, entry.actor_role) == (
        "feed.promote", "feed:places", "system",
    )  # fmt: skip
    assert entry.detail["digest"] == digest
    assert entry.detail["against"] == "words alone"
    last = records.events().read(records.events().last() - 1)[-1]
    assert isinstance(decode(last.body), Promoted)
    assert training.do_learn() == "the log has not grown enough"


def test_a_short_log_is_left_alone() -> None:
    tell(crowd(50))
    tasks.learn_soon()
    assert not Job.objects.exists()
    assert training.do_learn() == "the log has not grown enough"


def test_a_log_that_tells_nothing_promotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not gone through again until it has grown."""
    monkeypatch.setattr(proposals, "FEWEST", 10**6)
    tell(crowd(5_000))
    assert training.do_learn() == "not enough answers yet: 5000 of 1000000"
    assert training.do_learn() == "the log has not grown enough"
    assert not AuditEntry.objects.exists()
    assert not (options().folder / FOLDER).exists()


def test_taken_back_is_what_was_before() -> None:
    first, second = (training.do_promote(None, candidate(seed)) for seed in (1, 2))
    assert served() == second
    assert training.do_roll_back(None, "  looks odd ") == first
    assert served() == first
    assert AuditEntry.objects.last().detail | {"since": 0} == {
        "digest": first, "before": "", "since": 0, "reason": "looks odd", "instead": second,
    }  # fmt: skip
    assert training.do_roll_back(None, "this too") == ""
    told = [read_entry(bytes(row.leaf)) for row in LedgerEntry.objects.order_by("id")]
    assert {one.kind for one in told} == {Kind.MODEL}
    said = [(one.body["verdict"], one.body["digest"]) for one in told]
    assert said == [
        ("promoted", first),
        ("promoted", second),
        ("taken back", first),
        ("taken back", ""),
    ]
    assert told[0].body["data_root"] == models.read_manifest(training.folder(), first).data.root
    assert served() == ""
    with pytest.raises(training.Refused, match="nothing trained"):
        training.do_roll_back(None, "again")


def test_a_reason_is_asked_for() -> None:
    digest = training.do_promote(None, candidate(1))
    with pytest.raises(training.Refused, match="say why"):
        training.do_roll_back(None, "  ")
    assert training.in_force().digest == digest


def test_what_did_not_pass_is_not_kept() -> None:
    with pytest.raises(training.Refused, match="too bad"):
        training.do_promote(None, candidate(1, "too bad"))
    assert not (options().folder / FOLDER).exists()
    assert not AuditEntry.objects.exists()


def test_what_is_in_force_is_not_promoted_again() -> None:
    training.do_promote(None, candidate(1))
    with pytest.raises(training.Refused, match="already"):
        training.do_promote(None, candidate(1))


def watched(count: int, good: float, seed: int) -> list[Event]:
    rng = np.random.default_rng(seed)
    shares = np.where(rng.random(count) < good, 1.0, 0.05)
    return [watch(f"m{n % 200}", video(1), float(share)) for n, share in enumerate(shares)]


@pytest.mark.parametrize(("since", "stays"), [(0.3, False), (0.6, True)])
def test_worse_watches_take_back_what_was_promoted(since: float, stays: bool) -> None:
    tell([video(1), *watched(2_000, 0.6, 1)])
    digest = training.do_promote(None, candidate(1))
    tasks.learn_soon()
    assert run_due() == 1
    assert served() == digest
    tell(watched(1_500, since, 2))
    tasks.learn_soon()
    assert run_due() == 1
    assert (served() == digest) is stays
    if not stays:
        entry = AuditEntry.objects.last()
        assert entry.action == "feed.rollback"
        assert "felt good" in entry.detail["reason"]
        tasks.learn_soon()
        assert run_due() == 0  # what is served now was not promoted: it is not looked after


@pytest.mark.usefixtures("few")
def test_a_damaged_artefact_stops_neither_pages_nor_training() -> None:
    tell(crowd(600))
    digest = training.do_promote(None, candidate(1))
    artefact = options().folder / FOLDER / digest / models.ARTEFACT
    artefact.write_bytes(artefact.read_bytes()[:-1] + b"!")
    assert host().fresh().report()["events"]["Promoted.refused"] == 1
    assert training.propose().verdict.other.name == "words alone"


class TestCommands:
    def run(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(feed_cli, words)
        return done.exit_code, done.stderr if done.exit_code else done.stdout

    def test_too_few_events_are_said(self) -> None:
        tell(crowd(120))
        code, said = self.run("train")
        assert code == 1
        assert said.endswith("not enough answers yet: 120 of 5000.\n")

    @pytest.mark.usefixtures("few")
    @pytest.mark.slow
    def test_a_dry_run_keeps_nothing_and_the_real_one_does(self) -> None:
        tell(crowd(2_500, lots=2))
        code, said = self.run("train", "--dry-run")
        assert code == 0
        assert "words alone" in said
        assert "log loss" in said
        assert not (options().folder / FOLDER).exists()
        code, said = self.run("train")
        assert code == 0
        assert said.split()[-1] == training.in_force().digest == served()
        assert self.run("rollback", "--reason", "only trying")[0] == 0
        assert served() == ""

    @pytest.mark.usefixtures("few")
    def test_what_does_not_pass_is_said(self) -> None:
        tell([video(1), *watched(600, 1.0, 1)])
        code, said = self.run("train")
        assert code == 1
        assert "Not promoted: no viewer answered both ways" in said

    def test_nothing_to_take_back_is_said(self) -> None:
        assert self.run("rollback", "--reason", "why not") == (
            1, "Not taken back: nothing trained is in force.\n",
        )  # fmt: skip


def test_manifests_are_read_as_they_were_written() -> None:
    made = candidate(1)
    digest = training.do_promote(None, made)
    assert models.read_manifest(options().folder / FOLDER, digest) == made.manifest
    assert msgspec.json.decode((options().folder / FOLDER / digest / models.MANIFEST).read_bytes())
