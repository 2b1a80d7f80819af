"""Real runners before a real site: what they make is whole, also when one is killed in the middle,
and nothing of it stays with them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kill.test_kill import orphans, playable
from tests.live import Site, clip, eventually, states, upload
from tests.media.making import clip as small

pytestmark = pytest.mark.slow


def command(site: Site, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "jhalak", "runner", *words],
        env=site.env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


class Machine:
    """A `jhalak runner` with a folder of its own."""

    def __init__(self, site: Site, folder: Path, token: str, *address: str) -> None:
        self.work = folder / "work"
        folder.mkdir(exist_ok=True)
        token_file = folder / "token"
        token_file.write_text(token)
        self.log = folder / "runner.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jhalak", "runner", *(address or ("--site", site.url)),
                 "--token-file", str(token_file), "--work", str(self.work)],
                cwd=folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def files(self) -> list[Path]:
        """What it keeps of videos."""
        return [path for path in self.work.glob("job/**/*") if path.is_file()]

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()


def test_a_runner_makes_what_the_house_leaves_to_it(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", seconds=4, size="720x1280", codec="mpeg4")
    with Site(tmp_path / "data", local_media=False) as site:
        client = site.client("asha")
        machine = Machine(site, tmp_path / "box", command(site, "add", "box"))
        try:
            video = upload(client, source)
            seen = list(states(client, video, 90))
            assert seen[-1] == "complete", machine.log.read_text()
            assert "playable" in seen  # while it grew, or before its finer versions
            playable(site, client, video)
            assert site.rows("SELECT count(*) FROM videos_rendition")[0][0] >= 2

            def sound() -> str:
                card = client.get(f"/api/videos/{video}").json()
                return (card["sound"] or {}).get("id", "")

            taken = eventually(sound, 60, "its sound")
            silent = upload(client, small(tmp_path / "silent.mp4", sound=False), sound=taken)
            assert list(states(client, silent, 60))[-1] == "complete", machine.log.read_text()
            codecs = "SELECT codecs FROM videos_rendition ORDER BY id DESC LIMIT 1"
            assert "mp4a" in site.rows(codecs)[0][0]
            site.enqueue("videos.modern", silent)
            eventually(lambda: site.rows(codecs)[0][0].startswith("av01"), 120, "one in AV1")
            assert site.rows(codecs)[0][0].endswith(",opus")  # it has the sound that was taken
            bad = tmp_path / "bad.mp4"
            bad.write_bytes(source.read_bytes()[:3000])
            refused = upload(client, bad)
            assert list(states(client, refused, 60))[-1] == "failed"
            card = client.get(f"/api/videos/{refused}").json()
            assert card["failure"]["code"] in ("damaged", "not_a_video")
            eventually(lambda: not machine.files(), 60, "an empty folder")
        finally:
            machine.stop()
        assert not machine.work.exists()
        eventually(lambda: not orphans(site), 60, "a clean store")


def test_a_killed_runner_is_replaced_by_the_house(tmp_path: Path) -> None:
    """By another runner: see test_states."""
    source = clip(tmp_path / "clip.mp4", seconds=6, size="720x1280", codec="mpeg4")
    data = tmp_path / "data"
    with Site(data, local_media=False) as site:
        client = site.client("asha")
        token = command(site, "add", "box")
        machine = Machine(site, tmp_path / "box", token)
        video = upload(client, source)
        for state in states(client, video, 60):
            if state in ("preparing", "playable"):
                machine.kill()
                break
        assert machine.files()  # kill -9 leaves them: the next start removes them
    with Site(data) as site:
        again = site.client()
        assert list(states(again, video, 90))[-1] == "complete"
        playable(site, again, video)
        eventually(lambda: not orphans(site), 60, "a clean store")
