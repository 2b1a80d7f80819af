"""What is declared in `<data>/border/destinations.toml`; no file is no destination.

    [[destination]]
    name = "mail"                       # how it is asked for
    kind = "mail"                       # mail, sms or https
    host = "smtp.example.in"
    port = 465
    purpose = "codes to log in"
    classes = ["contact"]               # of the data map: what may be in it
    owner = "operations@example.in"     # who answers for it
    expires = 2027-06-30                # the last day, UTC
    sender = "codes@example.in"         # mail only

Also: `address` (an IP address: the name is then not looked up, and no question leaves), `internal`
(true: `address` may be a private one, on this machine or beside it), `ca` (PEM file of who signed
its certificate, where that is nobody whom the system trusts; it lies in `<data>/border` or outside
of the data folder, since the broker sees no more), `starttls` (mail on port 587).

A host name is read as the ASCII that is asked for: letters, digits, hyphens. Upper case and one dot
at the end are normalised; any other character is refused, so that nothing looks like what it is not
(a name in another script is written as its `xn--` form, which must hold one script and nothing
invisible).
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import tomllib
import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from jhalak.border.data_map import DataClass

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_NAME = 253


class DestinationsError(Exception):
    """The declaration cannot be used; the message names the destination and what is wrong."""


class Kind(StrEnum):
    MAIL = "mail"
    SMS = "sms"
    HTTPS = "https"


Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line out. `host` is normalised once it has been through `load`."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    kind: Kind
    host: Text
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    purpose: Text
    classes: Annotated[tuple[DataClass, ...], msgspec.Meta(min_length=1)]
    owner: Text
    expires: datetime.date
    internal: bool = False
    address: str = ""
    ca: str = ""
    sender: str = ""
    starttls: bool = False

    def expired(self, now_ms: int) -> bool:
        today = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).date()
        return today > self.expires

    def said(self) -> dict[str, object]:
        """As an entry of the log, in what JSON gives back: equal to what is read from there."""
        plain = msgspec.json.decode(msgspec.json.encode(self))
        return {key: value for key, value in plain.items() if value not in ("", False)}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    destination: list[Destination] = []


def path_of(data: Path) -> Path:
    return data / "border" / "destinations.toml"


def load(data: Path) -> dict[str, Destination]:
    """Every destination by its name; empty where nothing is declared. Raises DestinationsError."""
    file = path_of(data)
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DestinationsError(f"{file} cannot be read: {error.strerror}") from error
    return parse(text)


def parse(text: bytes) -> dict[str, Destination]:
    """The same of the file's bytes."""
    try:
        # A date is TOML's own, so that a string is not taken for one.
        written = tomllib.loads(text.decode("utf-8"))
        read = msgspec.convert(written, _File, builtin_types=(datetime.date,))
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise DestinationsError(f"destinations.toml: {error}") from error
    found: dict[str, Destination] = {}
    for one in read.destination:
        if one.name in found:
            raise DestinationsError(f"destinations.toml: {one.name!r} is declared twice")
        try:
            found[one.name] = _checked(one)
        except ValueError as error:
            raise DestinationsError(f"destinations.toml: {one.name!r}: {error}") from error
    return found


def _checked(one: Destination) -> Destination:
    if one.internal and not one.address:
        raise ValueError("internal = true needs its exact address")
    if one.address:
        ipaddress.ip_address(one.address)
    if (one.kind is Kind.MAIL) != bool(one.sender):
        raise ValueError("sender is for mail, which needs it")
    if one.starttls and one.kind is not Kind.MAIL:
        raise ValueError("starttls is for mail")
    return msgspec.structs.replace(one, host=host_name(one.host))


def host_name(text: str) -> str:
    """A name as it is asked for. Raises ValueError for what is none, or may look like another."""
    if not text.isascii():
        raise ValueError("its host has characters other than ASCII: write its xn-- form")
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _MOST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a host name")
    if labels[-1].isdecimal() or labels[-1].startswith("0x"):
        raise ValueError(f"{text!r} is an address and not a name: put it into `address`")
    for label in labels:
        if label.startswith("xn--"):
            _one_script(label)
    return name


def _one_script(label: str) -> None:
    try:
        shown = label[4:].encode().decode("punycode")
        back = shown.encode("punycode").decode()
    except UnicodeError as error:
        raise ValueError(f"{label!r} stands for no name") from error
    if back != label[4:] or unicodedata.normalize("NFC", shown) != shown or shown.isascii():
        raise ValueError(f"{label!r} is not the form of any name")
    if hidden := [c for c in shown if c != "-" and unicodedata.category(c)[0] not in "LMN"]:
        raise ValueError(f"{label!r} has U+{ord(hidden[0]):04X} in it, which does not show")
    scripts = {
        unicodedata.name(c, "?").split()[0] for c in shown if unicodedata.category(c) != "Nd"
    }
    if len(scripts - {"HYPHEN-MINUS", "COMBINING"}) != 1:
        raise ValueError(f"{label!r} mixes scripts: {', '.join(sorted(scripts))}")


def secrets_folder(data: Path) -> Path:
    """What the broker alone sees."""
    return data / "border" / "egress-secrets"


def secret_of(data: Path, name: str) -> str:
    """What the operator wrote for it into `<data>/border/egress-secrets/<name>`: "user:password"
    for mail, else the value of the header Authorization; "" without. Only the broker reads it.
    """
    try:
        return (secrets_folder(data) / name).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
