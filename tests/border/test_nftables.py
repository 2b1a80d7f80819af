"""The rules of a border machine: default drop for the service, and only what is declared passes."""

from __future__ import annotations

import datetime
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.nftables import Pinned, rules

TODAY = datetime.date(2026, 11, 28)
MAIL = Pinned("mail", "log-in codes", TODAY, ("2001:db8::7", "198.51.100.7"), 587)
SMS = Pinned("sms", "codes", TODAY - datetime.timedelta(days=1), ("198.51.100.8",), 443)


def chain(text: str) -> list[str]:
    return text.partition("chain service {\n")[2].partition("  }")[0].splitlines()


def test_what_is_declared_passes_and_the_rest_is_dropped_last() -> None:
    found = chain(rules([SMS, MAIL], user="jhalak", today=TODAY))
    passing = [line for line in found if line.endswith('"') and "daddr" in line]
    assert [line.split(" counter")[0].strip() for line in passing] == [
        "ip daddr 198.51.100.7 tcp dport 587",
        "ip6 daddr 2001:db8::7 tcp dport 587",
    ]
    assert found[-1].strip() == 'counter name "refused" drop'
    assert found[-2].strip().startswith("limit rate 10/second log")
    assert any("expired: sms" in line for line in found)
    assert "198.51.100.8" not in "\n".join(found)


def test_nothing_declared_lets_nothing_out_but_answers() -> None:
    text = rules([], cgroup="system.slice/jhalak.service", today=TODAY)
    assert [line.strip().split()[0] for line in chain(text)] == [
        "oifname",
        "ct",
        "limit",
        "counter",
    ]
    assert 'socket cgroupv2 level 2 "system.slice/jhalak.service" jump service' in text


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"user": "a", "cgroup": "b"},
        {"user": "a b"},
        {"user": "0;drop"},
        {"cgroup": 'a"b'},
        {"cgroup": "/a"},
    ],
)
def test_what_is_no_user_or_cgroup_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"user|cgroup"):
        rules([MAIL], today=TODAY, **given)


@settings(max_examples=40, deadline=None)
@given(words=st.text(max_size=200))
def test_no_words_get_out_of_their_comment(words: str) -> None:
    """Names and purposes are anybody's: a new line or a quote in one is no rule."""
    hostile = Pinned(words, words, TODAY, ("198.51.100.7",), 587)
    text = rules([hostile], user="1", today=TODAY)
    plain = rules([Pinned("a", "b", TODAY, ("198.51.100.7",), 587)], user="1", today=TODAY)
    assert len(text.split("\n")) == len(plain.split("\n"))
    assert text.count('"') == plain.count('"')


def test_nft_takes_the_file(tmp_path: object) -> None:
    """Where nft is there and may look at the kernel's tables: the syntax is its word, not ours."""
    nft = shutil.which("nft")
    if nft is None:
        pytest.skip("nft is not installed")
    done = subprocess.run(
        ["unshare", "--net", nft, "-c", "-f", "-"],
        input=rules([MAIL, SMS], user="0", today=TODAY),
        capture_output=True,
        text=True,
        check=False,
    )
    if "ermitted" in done.stderr or "not supported" in done.stderr:
        pytest.skip(f"nft may not look: {done.stderr[:80]}")
    assert (done.returncode, done.stderr) == (0, "")
