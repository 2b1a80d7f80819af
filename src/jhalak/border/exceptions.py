"""The register of exceptions, `<data>/border/exceptions.toml`; no file is no exception.

    [[exception]]
    kind = "unsealed"                 # a process that is not sealed; or "gap": time without a meter
    subject = "worker"                # the process; of a gap, what happened
    reason = "its GPU needs a device" # as it is published
    owner = "operations@example.in"   # who answers for it
    expires = 2027-06-30              # the last day, UTC; from the next on the report is red
    from = 2026-11-01T00:00:00Z       # a gap only: when it began and ended
    until = 2026-11-01T09:00:00Z

An exception excuses what it names, is printed in every report, and is counted.
"""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class ExceptionsError(Exception):
    """The register cannot be used; the message says why."""


class Exemption(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"since": "from"},
):
    kind: Literal["unsealed", "gap"]
    subject: Text
    reason: Text
    owner: Text
    expires: datetime.date
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    def said(self) -> dict[str, Any]:
        """As an evidence pack holds it."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "subject": self.subject,
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires.isoformat(),
        }
        if self.since and self.until:
            told["from_ms"] = int(self.since.timestamp() * 1000)
            told["until_ms"] = int(self.until.timestamp() * 1000)
        return told


class _File(msgspec.Struct, forbid_unknown_fields=True):
    exception: list[Exemption] = []


def path_of(data: Path) -> Path:
    return data / "border" / "exceptions.toml"


def load(data: Path) -> list[Exemption]:
    """Raises ExceptionsError."""
    try:
        text = path_of(data).read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ExceptionsError(f"exceptions.toml cannot be read: {error.strerror}") from error
    return parse(text)


def parse(text: bytes) -> list[Exemption]:
    """The same of the file's bytes."""
    try:
        written = tomllib.loads(text.decode("utf-8"))
        dates = (datetime.date, datetime.datetime)
        found = msgspec.convert(written, _File, builtin_types=dates).exception
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ExceptionsError(f"exceptions.toml: {error}") from error
    for one in found:
        times = [time for time in (one.since, one.until) if time is not None]
        if len(times) != (2 if one.kind == "gap" else 0):
            raise ExceptionsError(f"exceptions.toml: {one.subject!r}: from and until are for a gap")
        if any(time.tzinfo is None for time in times) or sorted(times) != times:
            raise ExceptionsError(
                f"exceptions.toml: {one.subject!r}: from and until need an offset (Z), in order"
            )
    return found
