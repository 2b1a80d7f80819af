"""Builds the demo world through the platform's own door: people sign up, clips are uploaded,
one channel at a time.

    python -m jhalak.demo.world --url http://127.0.0.1:8000 --data DIR [--clips DIR] [--fast]

Clips are painted in the background while earlier ones travel; the first is playable within
seconds and every channel has one before any has two. What is done stands in DIR/demo.json, so
that a second start only finishes what is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn

from . import catalogue, folder, manifest, people, tus
from .catalogue import Clip
from .client import Client, Refused, Unreachable, sign_in
from .clips.avatar import avatar
from .manifest import Manifest, Posted
from .progress import Progress

_PLAYABLE = frozenset({"playable", "complete"})


class World:
    """One building of the world. `fast`: only each channel's first clip, and short."""

    def __init__(self, url: str, data: Path, *, fast: bool = False, quiet: bool = False) -> None:
        self.url = url.rstrip("/")
        self.data = data
        self.fast = fast
        self.manifest: Manifest = manifest.load(data)
        self.clients: dict[str, Client] = {}
        self.states: dict[str, str] = {}
        self.progress = Progress(quiet=quiet)
        self.began = time.monotonic()
        self.polled = 0.0
        self.first_told = False
        self.stop = threading.Event()

    # -- people

    def client(self, handle: str) -> Client:
        """A signed-in client of a creator; the account and its profile are made on first use."""
        if handle in self.clients:
            return self.clients[handle]
        who = people.creator(handle)
        client = Client(self.url)
        new = handle not in self.manifest.people
        sign_in(client, handle, self.manifest.password, name=who.name, new=new)
        self.clients[handle] = client
        if new:
            client.call("PATCH", "/api/me", {"name": who.name, "bio": who.bio})
            picture = avatar(handle)
            client.call(
                "PUT", "/api/me/picture", body=picture, headers={"Content-Type": "image/png"}
            )
            self.manifest.people.append(handle)
            self._save()
        return client

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def _save(self) -> None:
        manifest.save(self.data, self.manifest)

    # -- clips

    def wanted(self) -> tuple[Clip, ...]:
        every = catalogue.clips()
        return tuple(c for c in every if c.variant == 0) if self.fast else every

    def missing(self) -> tuple[Clip, ...]:
        return tuple(c for c in self.wanted() if not self._posted(c.key).sent)

    def _posted(self, key: str) -> Posted:
        return self.manifest.clips.get(key) or Posted()

    def post(self, key: str, creator: str, source: Path, words: dict[str, str]) -> None:
        """Upload one file, going on where an earlier start was cut off."""
        client = self.client(creator)
        posted = self.manifest.clips.setdefault(
            key, Posted(creator=creator, caption=words["caption"])
        )
        size = source.stat().st_size
        if posted.upload:
            try:
                tus.offset(client, posted.upload)
            except Refused:
                posted.upload = ""  # expired: begin anew
        if not posted.upload:
            posted.upload = tus.create(client, "/api/uploads", size, words)
            self._save()
        reply = tus.send(client, posted.upload, source)
        posted.sent = True
        if reply is not None:
            posted.video = reply.headers.get("jhalak-video", "")
        self._save()
        self.states[key] = "received"

    def build(self) -> None:
        """Paint and post whatever is missing, watching what becomes playable."""
        todo = self.missing()
        self.first_told = any(p.last in _PLAYABLE for p in self.manifest.clips.values())
        self.progress.total += len(self.wanted())
        for clip in self.wanted():
            posted = self._posted(clip.key)
            if posted.sent:
                self.states[clip.key] = posted.last or "received"
        painters = max(1, min(4, (os.cpu_count() or 2) // 2))
        scratch = self.data / "demo-scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # of a start that was killed
        scratch.mkdir(parents=True)
        with ThreadPoolExecutor(painters, thread_name_prefix="painter") as pool:
            try:
                for clip, future in self._painted(pool, todo, painters + 1, scratch):
                    while not future.done():
                        self.watch()
                        time.sleep(0.03)
                    source = future.result()
                    self.post(clip.key, clip.creator, source, words_of(clip))
                    source.unlink()
                    self.watch()
            finally:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                shutil.rmtree(scratch, ignore_errors=True)

    def _painted(
        self, pool: ThreadPoolExecutor, todo: Sequence[Clip], depth: int, scratch: Path
    ) -> Iterator[tuple[Clip, Future[Path]]]:
        """Clips in order, the next few already being painted."""
        running: list[tuple[Clip, Future[Path]]] = []
        for clip in todo:
            # the very first is short: somebody is waiting to see anything at all
            seconds = 4.0 if self.fast or clip is todo[0] else None
            job = pool.submit(catalogue.render, clip, scratch, seconds=seconds, stop=self.stop)
            running.append((clip, job))
            if len(running) > depth:
                yield running.pop(0)
        yield from running

    # -- what became of them

    def watch(self, *, every: float = 0.5) -> None:
        """Ask how far the uploads are, at most every so many seconds."""
        waiting = [k for k, s in self.states.items() if s not in _PLAYABLE and s != "failed"]
        if not waiting or time.monotonic() - self.polled < every:
            return
        self.polled = time.monotonic()
        creators = {self.manifest.clips[key].creator for key in waiting}
        for handle in sorted(creators):
            for card in _cards(self.client(handle)):
                self._note(handle, card)
        done = sum(state in _PLAYABLE for state in self.states.values())
        self.progress.show(done, len([s for s in self.states.values() if s != "failed"]))

    def _note(self, handle: str, card: dict[str, object]) -> None:
        caption = _plain(str(card.get("caption", "")))
        for key, posted in self.manifest.clips.items():
            known = posted.video == card.get("id")
            if known or (
                not posted.video and posted.creator == handle and _plain(posted.caption) == caption
            ):
                posted.video = str(card.get("id", ""))
                state = str(card.get("state", ""))
                if state == "failed" and self.states.get(key) != "failed":
                    self.progress.line(f"{posted.caption or key}: {_why(card)}")
                self.states[key] = state
                posted.last = state if state in _PLAYABLE or state == "failed" else ""
                if state in _PLAYABLE and not self.first_told:
                    self.first_told = True
                    took = time.monotonic() - self.began
                    self.progress.line(
                        f"The first clip is ready after {took:.1f} s: {self.url}/v/{posted.video}"
                    )

    def settle(self, patience: float = 300) -> int:
        """Wait until all is playable or failed; returns how many are neither."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            self.watch()
            open_ = [s for s in self.states.values() if s not in _PLAYABLE and s != "failed"]
            if not open_:
                break
            time.sleep(0.2)
        self._save()
        return sum(s not in _PLAYABLE and s != "failed" for s in self.states.values())

    def add_folder(self, source: Path) -> None:
        """Post the videos of a folder of one's own, each once, as the demo's "creator"."""
        found = folder.videos(source)
        if not found:
            self.progress.line(f"No video files in {source}.")
            return
        handle = folder.OWNER
        client = self.clients.setdefault(handle, Client(self.url))
        sign_in(client, handle, self.manifest.password, new=False)
        self.progress.total += sum(not self._posted(key).sent for key, _file in found)
        for key, file in found:
            if self._posted(key).sent:
                continue
            words = folder.words(file)
            try:
                self.post(key, handle, file, words)
            except Refused as refused:
                self.progress.line(f"{file.name} was refused: {refused}")
                self.progress.total -= 1
            self.watch()


def words_of(clip: Clip) -> dict[str, str]:
    """A clip's tus metadata."""
    return {
        "filename": clip.filename,
        "filetype": "video/mp4",
        "caption": clip.caption,
        "tags": ",".join(clip.tags),
        "language": clip.language,
        "visibility": "public",
        "channel": clip.channel,
    }


def _cards(client: Client) -> list[dict[str, object]]:
    """All of a creator's own videos."""
    found: list[dict[str, object]] = []
    query = ""
    for _ in range(40):
        page = client.call("GET", f"/api/me/videos{query}").json()
        found += page["items"]
        if not page.get("next"):
            break
        query = f"?cursor={page['next']}"
    return found


def _why(card: dict[str, object]) -> str:
    """The server's words on a failure."""
    failure = card.get("failure")
    text = failure.get("text") if isinstance(failure, dict) else None
    return str(text or "it could not be used; see the studio.")


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def log_ins(url: str, password: str) -> str:
    """The log-ins, for a person at a terminal."""
    rows = [f"  {staff.handle:<10} {staff.tells}" for staff in people.STAFF]
    rows.append(f"  {people.CREATORS[0].handle:<10} one of {len(people.CREATORS)} demo creators")
    return "\n".join([f"Log in at {url}/login with the password  {password}  as", *rows])


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jhalak.demo.world", description=__doc__)
    parser.add_argument("--url", required=True, help="where the platform answers")
    parser.add_argument("--data", required=True, type=Path, help="keeps demo.json")
    parser.add_argument("--clips", type=Path, help="also upload the videos of this folder")
    parser.add_argument("--fast", action="store_true", help="one short clip a channel")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(given)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(143)


def main(given: Sequence[str] | None = None) -> int:
    args = arguments(given)
    signal.signal(signal.SIGTERM, _stop)
    try:
        world = World(args.url, args.data, fast=args.fast, quiet=args.quiet)
        with contextlib.closing(world), contextlib.closing(Client(world.url)) as anybody:
            anybody.call("GET", "/healthz")
            world.progress.line(log_ins(world.url, world.manifest.password))
            if args.clips is not None:
                world.add_folder(args.clips)
            world.build()
            left = world.settle()
    except (Refused, Unreachable, manifest.ManifestError, folder.FolderError) as error:
        print(f"The demo world stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    world.progress.end(left)
    return 0 if left == 0 else 2


if __name__ == "__main__":
    sys.exit(main())
