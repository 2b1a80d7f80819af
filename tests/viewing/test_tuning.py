"""The operator changes weights and runs experiments: by API and shell, through the log, audited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from typer.testing import CliRunner, Result

from jhalak import records
from jhalak.feed import tokens
from jhalak.feed.events import Tuned, Watched, decode
from jhalak.people.roles import Role
from jhalak.records.models import AuditEntry
from jhalak.viewing.commands import feed_cli
from jhalak.viewing.host import forget_hosts
from jhalak.viewing.page import secret
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHTS, EXPERIMENTS = "/api/operator/feed/weights", "/api/operator/experiments"
COLD = [{"name": "cold", "values": {"temperature": 0.1}}]


@pytest.fixture
def operator() -> Client:
    return browser(person("boss", Role.OPERATOR))


def send(client: Client, method: str, path: str, **body: Any) -> Any:
    return client.generic(method, path, json(body), content_type="application/json")


def json(body: dict[str, Any]) -> str:
    import json as library

    return library.dumps(body)


def run(*words: str) -> Result:
    return CliRunner().invoke(feed_cli, ["weights", *words])


def in_log(kind: type) -> list[Any]:
    found = [decode(one.body) for one in records.events().read(0, 1000)]
    return [event for event in found if isinstance(event, kind)]


def test_weights_by_api(operator: Client) -> None:
    before = operator.get(WEIGHTS).json()
    assert (before["changed"], before["changes"]) == ({}, [])
    values = {"weights.channel": 4.0, "temperature": 1.0}
    answer = send(operator, "PUT", WEIGHTS, values=values, reason=" Too narrow. ")
    assert answer.status_code == 204
    forget_hosts()  # another process, and after a restart
    now = operator.get(WEIGHTS).json()
    assert now["changed"] == {"weights.channel": 4.0}  # the other one is as it was
    assert now["values"] == before["values"] | values
    assert [change["reason"] for change in now["changes"]] == ["Too narrow."]
    assert operator.get("/api/operator/feed").json()["weights"] == now
    entry = AuditEntry.objects.get(action="feed.weights")
    assert entry.detail == {
        "reason": "Too narrow.",
        "values": {"weights.channel": 4.0},
        "before": {},
    }
    assert entry.actor_role == "operator"
    again = send(operator, "PUT", WEIGHTS, values=values, reason="x")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "nothing_changed")
    assert send(operator, "PUT", WEIGHTS, values={}, reason="Back.").status_code == 204
    assert operator.get(WEIGHTS).json()["values"] == before["values"]
    assert len(in_log(Tuned)) == 2


@pytest.mark.parametrize(
    ("values", "reason", "said"),
    [
        ({"weights.chanel": 1}, "x", "There is no weights.chanel. Is weights.channel meant?"),
        ({"zzz": 1, "quotas.tag": 1.5}, "x", "quotas.tag needs a whole number. There is no zzz."),
        ({"weights.tag": 21}, "x", "weights.tag has to be from -20 to 20."),
        ({"weights.tag": float("nan")}, "x", "weights.tag needs a number."),
        ({"seen": 10}, "x", "There is no seen."),
        ({"weights.tag": 1}, " \n", "Say why: it is kept in the audit log."),
        ({"weights.tag": 1}, "x" * 301, "Say it in at most 300 characters."),
    ],
)
def test_what_cannot_be_served_by_is_refused(operator, values, reason, said) -> None:
    answer = send(operator, "PUT", WEIGHTS, values=values, reason=reason)
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, said)
    assert in_log(Tuned) == []
    assert not AuditEntry.objects.filter(action="feed.weights").exists()


def test_weights_from_a_shell(tmp_path: Path) -> None:
    file = tmp_path / "feed.toml"
    shown = run("show")
    assert shown.exit_code == 0
    file.write_text(shown.stdout.replace("channel = 6.0", "channel = 7.5", 1))
    assert run("set", str(file)).exit_code == 2  # never without a reason
    done = run("set", str(file), "--reason", "Channels matter.")
    assert (done.exit_code, done.stdout) == (0, "In force from the next page on.\n")
    shown = run("show")
    assert "channel = 7.5" in shown.stdout
    assert "UTC: Channels matter." in shown.stdout
    assert AuditEntry.objects.get(action="feed.weights").actor_role == "system"
    for text, said in (
        ("[weights]\nchanel = 1.0", "There is no weights.chanel. Is weights.channel meant?"),
        ("[weights", "Expected"),
        ("temperature = nan", "temperature needs a number."),
        (shown.stdout, "These weights are in force already."),
    ):
        file.write_text(text)
        refused = run("set", str(file), "--reason", "x")
        assert refused.exit_code == 1
        assert said in refused.output
    file.write_bytes(b"\xff")
    assert run("set", str(file), "--reason", "x").exit_code == 1
    assert len(in_log(Tuned)) == 1


def start(client: Client, **more: Any) -> Any:
    given: dict[str, Any] = {"name": "calm", "arms": COLD, "reason": "Is calmer better?"}
    return send(client, "POST", EXPERIMENTS, **given | more)


def test_an_experiment_from_start_to_stop(operator: Client) -> None:
    author = person()
    for _ in range(4):
        video(author)
    viewer = browser(person("asha"))
    assert start(operator, percent=100, days=3).status_code == 204
    (item, *_) = viewer.get("/api/feed?n=2").json()["items"]
    served = tokens.open(secret(), item["token"], 2**50, 2**50)
    assert served.arms in ("1a", "1b")
    said = {"events": [{"token": item["token"], "kind": "finished", "watched_ms": 9e6}]}
    assert send(viewer, "POST", "/api/events", **said).json()["accepted"] == 1
    assert [event.arms for event in in_log(Watched)] == [served.arms]
    forget_hosts()
    (seen,) = operator.get(EXPERIMENTS).json()["items"]
    assert (seen["name"], seen["state"], seen["share"]) == ("calm", "running", 1000)
    assert seen["ends_ms"] - seen["started_ms"] == 3 * 24 * 3_600_000
    assert [(arm["name"], arm["entered"]) for arm in seen["arms"]] == [
        ("control", int(served.arms == "1a")),
        ("cold", int(served.arms == "1b")),
    ]
    stop = f"{EXPERIMENTS}/calm/stop"
    assert send(operator, "POST", stop, reason="").status_code == 422
    assert send(operator, "POST", stop, reason="Seen enough.").status_code == 204
    assert send(operator, "POST", stop, reason="Again.").status_code == 404
    (seen,) = operator.get(EXPERIMENTS).json()["items"]
    assert (seen["state"], seen["stop_reason"]) == ("stopped", "Seen enough.")
    (item, *_) = viewer.get("/api/feed?n=2").json()["items"]
    assert tokens.open(secret(), item["token"], 2**50, 2**50).arms == ""
    done = AuditEntry.objects.filter(action__startswith="feed.experiment").order_by("pk")
    assert [(entry.action, entry.object, entry.detail["reason"]) for entry in done] == [
        ("feed.experiment.start", "experiment:calm", "Is calmer better?"),
        ("feed.experiment.stop", "experiment:calm", "Seen enough."),
    ]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"reason": ""}, 422, "reason_needed"),
        ({"name": "No Spaces"}, 422, "invalid"),
        ({"arms": []}, 422, "invalid"),
        ({"arms": [{"name": "control", "values": {"explore": 0.1}}]}, 422, "arm_names"),
        ({"arms": [{"name": "x", "values": {}}]}, 422, "nothing_changed"),
        ({"arms": [{"name": "x", "values": {"explor": 0.1}}]}, 422, "bad_weights"),
        ({"percent": 0.01}, 422, "invalid"),
        ({"percent": 1e308}, 422, "invalid"),
        ({"window_hours": 0.01}, 422, "window"),
        ({"days": 1, "window_hours": 48}, 422, "end"),
        ({"name": "first"}, 409, "name_taken"),
        ({"percent": 60}, 409, "no_room"),
        ({"layer": "other"}, 409, "other_layer"),
    ],
)
def test_what_cannot_run_is_refused(operator: Client, more, status: int, code: str) -> None:
    assert start(operator, name="first", percent=50).status_code == 204
    answer = start(operator, **more)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "%" not in answer.json()["error"]["message"]
    assert [one["name"] for one in operator.get(EXPERIMENTS).json()["items"]] == ["first"]


def test_an_interleaved_experiment_names_whose_pick_each_clip_was(operator: Client) -> None:
    author = person()
    for _ in range(6):
        video(author)
    viewer = browser(person("asha"))
    two = [*COLD, {"name": "x", "values": {"explore": 0.1}}]
    refused = start(operator, arms=two, interleaved=True)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "one_arm")
    assert start(operator, interleaved=True).status_code == 204
    clash = start(operator, name="b", layer="other", interleaved=True,
                  arms=[{"name": "x", "values": {"explore": 0.1}}])  # fmt: skip
    assert (clash.status_code, clash.json()["error"]["code"]) == (409, "in_turn")
    items = viewer.get("/api/feed?n=4").json()["items"]
    served = [tokens.open(secret(), item["token"], 2**50, 2**50) for item in items]
    assert sorted(one.arms for one in served) == ["1a", "1a", "1b", "1b"]
    assert all(0.0 < one.propensity <= 1.0 for one in served)
    forget_hosts()
    (seen,) = operator.get(EXPERIMENTS).json()["items"]
    assert seen["interleaved"]
    assert AuditEntry.objects.get(action="feed.experiment.start").detail["interleaved"] is True
