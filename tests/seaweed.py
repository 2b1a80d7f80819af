"""A real store that speaks S3, for tests: SeaweedFS (`weed server -s3`) on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.live import eventually, free_ports

KEY, SECRET = "AKIDJHALAKTEST", "a-secret-that-no-log-may-hold"
WEED = Path(sysconfig.get_path("scripts")) / "weed"


class Seaweed:
    """Start, kill, start again on the same ports and files. Buckets are made by the first put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        identity = {
            "name": "jhalak",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        kinds = ("master", "volume", "filer", "s3")
        names = [f"{kind}.port{end}" for kind in kinds for end in ("", ".grpc")]
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.endpoint = f"http://127.0.0.1:{self._ports['s3.port']}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        with (self.folder / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    WEED, "-logtostderr=true", "server", f"-dir={self.folder / 'data'}",
                    "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
                    f"-s3.config={self.folder / 's3.json'}", "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    *ports,
                    "-master.telemetry=false", "-master.volumePreallocate=false",
                    "-master.volumeSizeLimitMB=64", "-volume.max=100", "-volume.minFreeSpace=0",
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            )  # fmt: skip
        eventually(self._takes, 60, "a store that takes objects")

    def _takes(self) -> bool:
        """Whether a whole put goes through: its parts come up one after another."""
        from obstore.exceptions import BaseError
        from obstore.store import S3Store

        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "weed.log").read_text()[-3000:]
        try:
            if httpx.get(self.endpoint, timeout=2).status_code != 403:
                return False
            store = S3Store(
                "ready-or-not",
                endpoint=self.endpoint,
                access_key_id=KEY,
                secret_access_key=SECRET,
                client_options={"allow_http": True},
                retry_config={"max_retries": 0},
            )
            store.put("a", b"x")
        except (httpx.HTTPError, BaseError):
            return False
        return True

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for name, port in self._ports.items():  # sockets that it makes beside its folder
            kind = name.partition(".")[0] + ("-grpc" if name.endswith(".grpc") else "")
            Path(f"/tmp/seaweedfs-{kind}-{port}.sock").unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def url(self, bucket: str) -> str:
        return f"s3://{bucket}?endpoint={self.endpoint}"


@contextmanager
def running(folder: Path) -> Iterator[Seaweed]:
    """One for a test module. Its keys are in the environment meanwhile."""
    weed = Seaweed(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        weed.start()
        try:
            yield weed
        finally:
            weed.kill()
