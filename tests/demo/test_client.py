"""The demo's HTTP client against real sockets: cookies, patience, the server's own words."""

from __future__ import annotations

import socket

import pytest

from jhalak.demo.client import Client, Refused, Unreachable, sign_in

from .platform_double import Platform


def test_cookies_are_kept_and_a_second_sign_up_becomes_a_log_in(platform: Platform) -> None:
    first = Client(platform.url)
    assert sign_in(first, "asha", "pass word 1", name="आशा", new=True) is True
    assert first.cookies == {"session": "asha"}
    first.call("PATCH", "/api/me", {"bio": "नमस्ते"})
    assert platform.profiles["asha"] == {"bio": "नमस्ते"}

    again = Client(platform.url)
    assert sign_in(again, "asha", "pass word 1", new=True) is False
    assert sign_in(again, "asha", "pass word 1", new=False) is False
    assert sign_in(again, "ravi", "pass word 1", new=False) is True
    with pytest.raises(Refused) as wrong:
        sign_in(again, "asha", "another", new=False)
    assert wrong.value.status == 422
    first.close()
    again.close()


def test_a_refusal_carries_the_servers_code_and_words(platform: Platform) -> None:
    client = Client(platform.url)
    with pytest.raises(Refused, match="words of sign_in") as refused:
        client.call("GET", "/api/me/videos")
    assert (refused.value.status, refused.value.code) == (401, "sign_in")
    client.close()


def test_slower_please_is_obeyed_and_a_restart_waited_for(platform: Platform) -> None:
    slept: list[float] = []
    client = Client(platform.url, sleep=slept.append)
    platform.busy, platform.broken = 1, 2
    assert client.call("GET", "/healthz").status == 200
    assert slept[0] == 7  # Retry-After
    assert len(slept) == 3
    client.close()


def test_nobody_there_is_unreachable_after_its_patience() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", patience=0.1, sleep=lambda _s: None)
    with pytest.raises(Unreachable, match=str(port)):
        client.call("GET", "/healthz")


@pytest.mark.parametrize("url", ["", "ftp://x", "127.0.0.1:8000", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Client(url)
