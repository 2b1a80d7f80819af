"""The supervisor with real processes: it starts, restarts, drains, and leaves nothing behind."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from jhalak.border.services import service_rules
from tests.house.running import House, alive, eventually, kill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house") / "a data folder", drain=8) as running:
        yield running


def test_it_answers_and_every_process_leads_a_group_of_its_own(house: House) -> None:
    assert house.get("/").status_code == 200
    leaders = [house.child(name) for name in ("front", "web", "intake", "worker")]
    for one in leaders:
        assert psutil.Process(one.pid).ppid() == house.process.pid  # type: ignore[union-attr]
        members = {one.pid, *(child.pid for child in one.children(recursive=True))}
        assert {_group(pid) for pid in members} == {one.pid}


@pytest.mark.parametrize("name", ["front", "web", "intake", "worker"])
def test_a_killed_process_is_started_again_and_no_waiting_request_fails(
    house: House, name: str
) -> None:
    before = house.child(name)
    below = before.children(recursive=True)
    kill(before)
    for path in ("/", "/api/uploads"):
        assert house.get(path).status_code == 200, house.said()
    eventually(lambda: house.child(name).pid != before.pid, f"{name} anew")
    eventually(lambda: not alive([before, *below]), "the end of what it left behind")
    assert f"{name} was ended by SIGKILL; starting it again" in house.said()


def test_a_killed_worker_of_the_web_server_is_replaced(house: House) -> None:
    before = house.child("web")
    (worker,) = before.children()
    kill(worker)
    assert house.get("/").status_code == 200
    eventually(lambda: house.child("web").pid != before.pid, "web anew")
    assert "web ended (exit 1)" in house.said()


def test_slow_uploads_starve_nobody(house: House) -> None:
    head = b"PATCH /api/uploads/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"
    slow = [socket.create_connection(("127.0.0.1", house.port)) for _ in range(8)]
    try:
        for one in slow:
            one.sendall(head)
        assert house.get("/").elapsed.total_seconds() < 2
        refused = httpx.patch(house.url + "/api/uploads/2", content=b"1234567890", timeout=10)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "too_many"
        assert refused.headers["retry-after"]
        slow[0].sendall(b"67890")
        assert b"\r\n\r\n10" in slow[0].recv(4096)
    finally:
        for one in slow:
            one.close()


def test_a_second_instance_on_the_same_folder_is_told_who_has_it(house: House) -> None:
    other = House(house.data)
    other.log = house.data.parent / "other.log"
    assert other.start().wait(30) == 1
    assert f"already runs on this data folder (pid {house.process.pid})" in other.said()  # type: ignore[union-attr]
    assert house.get("/").status_code == 200


def test_a_taken_port_is_said_with_a_way_out(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "data", port=house.port)
    assert other.start().wait(30) == 1
    assert f"Port {house.port} on 127.0.0.1 is taken" in other.said()
    assert f"--port {house.port + 1}" in other.said()


def test_sigterm_lets_an_open_request_finish_and_leaves_nothing(tmp_path: Path) -> None:
    with House(tmp_path / "data", drain=15) as house:
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(house.get("/slow?3")))
        asking.start()
        eventually(lambda: _connected(house), "the request's arrival")
        family = house.family()
        assert house.process is not None
        house.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refused(house.port), "the end of accepting", 5)
        assert house.process.wait(30) == 0
        asking.join()
        assert answers[0].text == "slow but sure"
        eventually(lambda: not alive(family), "the end of all")
        assert not list((house.data / "run").glob("*.sock"))


def test_what_does_not_end_in_time_is_killed_and_a_second_signal_ends_all_at_once(
    tmp_path: Path,
) -> None:
    for patience, signals in ((1, 1), (60, 2)):
        data = tmp_path / f"data{signals}"
        with House(data, drain=patience) as house:
            asking = threading.Thread(target=lambda house=house: _try(house, "/slow?30"))
            asking.start()
            eventually(lambda house=house: _connected(house), "the request's arrival")
            family = house.family()
            assert house.process is not None
            for count in range(signals):
                house.process.send_signal(signal.SIGINT)
                eventually(lambda house=house: "stopping" in house.said(), "hearing it")
                if count + 1 < signals:
                    eventually(lambda house=house: _refused(house.port), "draining", 5)
            code = house.process.wait(20)
            assert code == (130 if signals == 2 else 0), house.said()
            eventually(lambda family=family: not alive(family), "the end of all")
            asking.join()


def test_nothing_survives_a_killed_supervisor_and_the_next_start_goes_well(tmp_path: Path) -> None:
    with House(tmp_path / "data") as house:
        family = house.family()
        assert (
            len(family) >= 7
        )  # front and its workers, web, intake, worker, and what granian forks
        port = house.port
        assert house.process is not None
        house.process.kill()
        house.process.wait()
        eventually(lambda: not alive(family), "the end of all")
    house.port = port
    house.start()
    try:
        house.wait_ready(times=2)
        assert house.get("/").status_code == 200
    finally:
        house.end()


def test_a_data_folder_with_a_very_long_name_works(tmp_path: Path) -> None:
    with House(tmp_path / ("long " * 20).strip() / ("longer " * 10).strip()) as house:
        assert house.get("/").status_code == 200


def test_a_program_that_cannot_start_is_given_up_with_words(tmp_path: Path) -> None:
    from jhalak.site import supervisor

    lines: list[str] = []
    noted: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "PAUSES", (0.0, 0.01))
        patch.setattr(supervisor, "say", lines.append)
        failing = supervisor.Program("web", ("false",))
        steady = supervisor.Program("worker", ("sleep", "600"))
        extra = supervisor.Program("crowd", (str(tmp_path / "absent"),), vital=False)
        behind_walls = replace(extra, name="broker", seal=service_rules(tmp_path))
        code = supervisor.Supervisor(
            [failing, steady, extra, behind_walls],
            ready=lambda: False,
            on_ready=lambda: None,
            on_start=lambda program, _pid, _seal: noted.append(program.name),
        ).run()
    assert code == 1
    assert set(noted) == {"web", "worker"}, "what never began has no seal to be noted"
    text = "\n".join(lines)
    assert "web ended (exit 1), 3 times in a row: giving up." in text
    assert "crowd cannot be started" in text
    assert "broker cannot be started" in text
    assert "worker stopped" in text


def test_what_the_rest_can_do_without_is_tried_again_without_end() -> None:
    from jhalak.site import supervisor

    lines: list[str] = []

    def often() -> bool:
        return "\n".join(lines).count("feed ended (exit 1); starting it again") > 8

    def stop() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "PAUSES", (0.0, 0.01))
        patch.setattr(supervisor, "say", lines.append)
        feed = supervisor.Program("feed", ("false",), gives_up=False)
        code = supervisor.Supervisor([feed], ready=often, on_ready=stop).run()
    assert code == 0
    assert "giving up" not in "".join(lines)


def _group(pid: int) -> int:
    import os

    return os.getpgid(pid)


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def _connected(house: House) -> bool:
    """Whether somebody's connection to the front is open."""
    found = psutil.net_connections("tcp")
    return any(
        c.status == psutil.CONN_ESTABLISHED and c.laddr and c.laddr[1] == house.port for c in found
    )


def _try(house: House, path: str) -> None:
    try:
        house.get(path)
    except httpx.HTTPError:
        return  # cut off: that is the test
