"""The bucket store against a real SeaweedFS: the conformance suite, and what only a store that is
elsewhere can do wrong.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.seaweed import KEY, SECRET, Seaweed, running
from tests.stores.conformance_objects import TYPE, ObjectsConformance, keys

from jhalak.stores.objects import (
    Objects,
    ObjectsError,
    StoreAway,
    StoreRefused,
    open_objects,
)
from jhalak.stores.objects.bucket import Bucket, bucket_at

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with running(tmp_path_factory.mktemp("weed")) as started:
        yield started


@pytest.fixture
def bucket(weed: Seaweed) -> str:
    """The address of an empty bucket: one for all, since each costs the server volumes."""
    url = weed.url("test-bucket")
    store = open_objects(url)
    store.put("ready.mp4", b"", content_type=TYPE)  # SeaweedFS makes a bucket when it is written to
    store.delete(*(found.key for found in store.list()))
    return url


@pytest.fixture
def store(bucket: str) -> Objects:
    return open_objects(bucket)


@pytest.fixture
def another(bucket: str) -> Callable[[], Objects]:
    return lambda: open_objects(bucket)


@slow
class TestS3(ObjectsConformance):
    pass


def _get(weed: Seaweed, bucket: str, internal: str) -> httpx.Response:
    """What the proxy does with an internal path."""
    name = bucket_at(bucket).name
    return httpx.get(f"{weed.endpoint}/{name}/{internal.removeprefix('/_objects/')}")


@slow
@pytest.mark.parametrize(
    "key", ["a.mp4", "झ/50%?# +&~*'\"<>.mp4", "a%2F..%2Fb.mp4", "x;y=1/@:,$.mp4", "é/" + "x" * 190]
)
def test_what_is_signed_is_sent_and_nothing_else(
    weed: Seaweed, store: Objects, bucket: str, key: str
) -> None:
    store.put(key, b"mine", content_type=TYPE)
    store.put("other.mp4", b"not mine", content_type=TYPE)
    signed = store.internal_path(key)
    answer = _get(weed, bucket, signed)
    assert (answer.status_code, answer.content) == (200, b"mine")
    assert answer.headers["content-type"] == TYPE
    assert SECRET not in signed
    query = signed.partition("?")[2]
    assert _get(weed, bucket, f"/_objects/other.mp4?{query}").status_code == 403
    assert _get(weed, bucket, "/_objects/other.mp4").status_code == 403


@slow
def test_more_than_a_page_of_a_listing(store: Objects) -> None:
    names = [f"many/{number:05}.mp4" for number in range(1100)]
    for name in names:
        store.put(name, b"x", content_type=TYPE)
    assert keys(store, "many/") == names
    store.delete(*names)
    assert keys(store) == []


@slow
def test_what_came_by_other_hands_is_an_object(store: Objects, bucket: str) -> None:
    from obstore.store import S3Store

    place = bucket_at(bucket)
    other = S3Store(
        place.name,
        endpoint=place.endpoint,
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    put = store.put("a/1.mp4", b"the same", content_type=TYPE)
    other.put("a/2.mp4", b"the same")
    found = store.head("a/2.mp4")
    assert found is not None
    assert (found.etag, found.size) == (put.etag, 8)
    other.put("a/.hidden/2.mp4", b"no key of ours")
    assert keys(store) == ["a/1.mp4", "a/2.mp4"]


@slow
@pytest.mark.parametrize(("name", "value"), [("AWS_SECRET_ACCESS_KEY", "w" * 40),
                                             ("AWS_ACCESS_KEY_ID", "NOBODY")])  # fmt: skip
def test_wrong_keys_say_what_to_set(
    bucket: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    store = open_objects(bucket)
    for act in (
        lambda: store.put("a.mp4", b"x", content_type=TYPE),
        lambda: store.put("a.mp4", bytes(20 << 20), content_type=TYPE),
        lambda: store.put("a.mp4", b"x", content_type=TYPE, if_absent=True),
        lambda: store.head("a.mp4"),
        lambda: store.read("a.mp4"),
        lambda: store.open("a.mp4"),
        lambda: store.delete("a.mp4"),
        lambda: list(store.list()),
    ):
        with pytest.raises(StoreRefused, match="AWS_SECRET_ACCESS_KEY") as refused:
            act()
        assert SECRET not in str(refused.value)
        assert "w" * 40 not in str(refused.value)


def test_without_keys_it_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "s3://some-bucket?endpoint=http://127.0.0.1:9"
    for given in ({}, {"AWS_ACCESS_KEY_ID": "x"}, {"AWS_SECRET_ACCESS_KEY": "x"}):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreRefused, match="set AWS_") as refused:
            open_objects(url)
        assert all(name not in str(refused.value).split() for name in given)


def test_an_address() -> None:
    plain = bucket_at("s3://a-bucket?endpoint=http://Store.internal:8333&region=in-1")
    assert plain == Bucket("a-bucket", False, "store.internal", 8333, "in-1")
    assert (plain.endpoint, plain.authority) == (
        "http://store.internal:8333",
        "store.internal:8333",
    )
    tls = bucket_at("s3://a-bucket/?endpoint=https://[::1]:443/")
    assert (tls.endpoint, tls.authority, tls.region) == ("https://[::1]", "[::1]", "us-east-1")


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",  # no endpoint: nobody's cloud is called by default
        "s3:bucket?endpoint=http://x",
        "s3://b?endpoint=http://x",
        "s3://Bucket?endpoint=http://x",
        "s3://bucket/prefix?endpoint=http://x",
        "s3://bucket?endpoint=x:1",
        "s3://bucket?endpoint=ftp://x",
        "s3://bucket?endpoint=http://x/path",
        "s3://bucket?endpoint=http://x:99999",
        "s3://bucket?endpoint=http://x:0",
        "s3://bucket?endpoint=http://x%0aproxy_pass",
        "s3://bucket?endpoint=http://x;",
        "s3://bucket?endpoint=http://x&endpoint=http://y",
        "s3://bucket?endpoint=http://x&secret=y",
        "s3://bucket?endpoint=http://x&region=a b",
        "s3://bucket?endpoint=http://x#y",
        "s3://bucket?endpoint",
        "s3://[bucket?endpoint=http://x",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ObjectsError):
        open_objects(url)


def test_keys_in_an_address_are_refused_and_not_repeated() -> None:
    for url in (
        "s3://KEY:hush@bucket?endpoint=http://x",
        "s3://bucket?endpoint=http://KEY:hush@x",
    ):
        with pytest.raises(ObjectsError, match="AWS_SECRET_ACCESS_KEY") as refused:
            open_objects(url)
        assert "hush" not in str(refused.value)


@slow
def test_a_store_that_is_killed_for_a_while(tmp_path: Path) -> None:
    """What was acknowledged is there afterwards, whole; what was not is refused, and goes later."""
    with running(tmp_path / "weed") as weed:
        store = open_objects(weed.url("kept"))
        acknowledged: dict[str, bytes] = {}
        refused: list[str] = []
        enough = threading.Event()
        dead = threading.Event()

        def write(name: str) -> None:
            number = 0
            while not dead.is_set() or not any(key.startswith(name) for key in refused):
                key, body = f"{name}/{number}.mp4", os.urandom(9 << 20 if number % 4 == 3 else 999)
                number += 1
                try:
                    store.put(key, body, content_type=TYPE)
                    acknowledged[key] = body
                except StoreAway:
                    refused.append(key)
                if len(acknowledged) > 20:
                    enough.set()

        threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        weed.kill()
        dead.set()
        for thread in threads:
            thread.join()
        assert refused
        some = next(iter(acknowledged))
        for act in (lambda: store.read(some), lambda: store.head(some), lambda: store.open(some)):
            with pytest.raises(StoreAway, match="does not answer"):
                act()
        weed.start()
        for key, body in acknowledged.items():
            assert store.read(key) == body
        for key in refused:
            found = store.head(key)  # it may have arrived without being acknowledged: then whole
            assert found is None or found.size in (999, 9 << 20)
            store.put(key, b"later", content_type=TYPE)
            assert store.read(key) == b"later"
