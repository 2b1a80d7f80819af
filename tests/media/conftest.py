"""Clips that several tests read; made once a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.media.making import clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def plain(clips: Path) -> Path:
    """192x320, 3 s, H.264 and AAC: what a copy is enough for. Its metadata holds a secret."""
    secrets = [
        *("-metadata", "title=SECRET-title", "-metadata", "location=+12.9716+077.5946/"),
        *("-metadata:s:v", "handler_name=SECRET-handler", "-movflags", "use_metadata_tags"),
        *("-bsf:v", "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+SECRET-sei"),
    ]
    return clip(clips / "plain.mp4", extra=secrets)


@pytest.fixture(scope="session")
def other(clips: Path) -> Path:
    """360x640, 5 s, H.264 in Matroska without sound, odd codec settings: needs an encode."""
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p")
    return clip(clips / "other.mkv", size="360x640", seconds=5, sound=False, video=video)
