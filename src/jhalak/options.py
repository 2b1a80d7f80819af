"""Every setting of an installation, once: its name, type, default and meaning.

Read from the environment (`JHALAK_<NAME>`), else from `jhalak.toml` in the data folder, else the
default here. An unknown name in the file is an error that names it; a test fails on an option that
nobody reads.
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def option(meaning: str) -> Meta:
    return Meta(description=meaning)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one installation. Sizes in bytes, times in seconds unless the name says
    otherwise.
    """

    data: Annotated[str, option("Folder that holds everything this installation keeps.")] = "data"
    database_url: Annotated[
        str, option("postgres://user@host/db, or empty for SQLite in the data folder.")
    ] = ""
    objects_url: Annotated[
        str,
        option(
            "s3://bucket?endpoint=https://host:port&region=name, its keys in AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY; or empty for the folder objects in the data folder."
        ),
    ] = ""
    host: Annotated[str, option("Address that the front listens on.")] = "127.0.0.1"
    port: Annotated[int, option("TCP port that the front listens on.")] = 8000
    socket: Annotated[
        str,
        option(
            "Path of a Unix socket that the front listens on too, for runners on this machine;"
            " empty for none."
        ),
    ] = ""
    hosts: Annotated[
        str, option("Host names that are answered, with spaces between; * for any.")
    ] = "*"
    https: Annotated[
        bool, option("True when people reach the site by HTTPS alone: cookies then too.")
    ] = False
    open_creation: Annotated[
        bool, option("True when everybody who signs up may upload; else the operator says who may.")
    ] = True
    web_threads: Annotated[
        int, option("Requests that a web process works on at once; more is rarely faster.")
    ] = 2
    web_processes: Annotated[
        int,
        Meta(ge=1, le=64),
        option(
            "Web processes side by side; from 2 on a process of its own holds the feed engine. More"
            " than the machine has cores is slower."
        ),
    ] = 1
    intake_threads: Annotated[
        int, option("Uploads that are received at once; each is a thread that mostly waits.")
    ] = 32
    local_media: Annotated[
        bool, option("False leaves the preparing of videos to runners (`jhalak runner`).")
    ] = True
    drain: Annotated[
        int, option("Seconds that open requests and jobs get to finish when the site stops.")
    ] = 15
    front_log: Annotated[
        bool, option("True to log each request in run/front-access.log in the data folder.")
    ] = False
    log_level: Annotated[
        LogLevel, option("The least that is worth a line in the log of a process.")
    ] = "INFO"
    upload_limit: Annotated[int, option("Largest video file that is taken, in bytes.")] = 256 << 20
    upload_quota: Annotated[
        int, option("Bytes of videos that one person may have here, uploads under way included.")
    ] = 20 << 30
    uploads_open: Annotated[int, option("Uploads that one person may have under way.")] = 20
    upload_expiry: Annotated[
        int, option("Seconds after which an upload that nobody continues is thrown away.")
    ] = 86_400
    compute_budget: Annotated[
        int,
        option(
            "Seconds of processing that one person's videos get in 24 hours; what is over it waits "
            "until nothing else does, or until the day has moved on."
        ),
    ] = 3600
    erasure_grace: Annotated[
        int, Meta(ge=0, le=90), option("Days in which a log-in undoes that somebody left.")
    ] = 7
    disk_reserve: Annotated[
        int,
        option(
            "Bytes that stay free on the data folder's disk: new uploads are refused before. What"
            " is under way, and making videos, waits when a quarter of it is left."
        ),
    ] = 1 << 30
    kms_socket: Annotated[
        str,
        option(
            "Unix socket of a key service that speaks OpenBao's transit API and holds the"
            " installation key; empty: the key is in JHALAK_INSTALLATION_KEY, or else in a file in"
            " border/keys in the data folder."
        ),
    ] = ""
    kms_key: Annotated[
        str, option("Name of the wrapping key there; the key of hashes is NAME-hash.")
    ] = "jhalak"
    calling_code: Annotated[
        str,
        Meta(pattern="^[1-9][0-9]{0,2}$"),
        option("Country code of phone numbers that are typed without one."),
    ] = "91"
    speech_model: Annotated[
        str,
        option("Folder with a Whisper model (CTranslate2) that hears captions; empty for none."),
    ] = ""
    av1_views: Annotated[
        int,
        option(
            "Views from which on a video is made in AV1 too, when nothing else is to do, what is"
            " watched most first; 0 for none."
        ),
    ] = 100

    @property
    def folder(self) -> Path:
        return Path(self.data).absolute()


class OptionsError(Exception):
    """A setting that cannot be used; the message names it and says what would be right."""


def load(env: Mapping[str, str]) -> Options:
    """Options from an environment and the jhalak.toml in its data folder. Raises OptionsError."""
    values: dict[str, Any] = {}
    file = Path(env.get("JHALAK_DATA", Options().data)) / "jhalak.toml"
    if file.is_file():
        try:
            values.update(tomllib.loads(file.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise OptionsError(f"{file} is not valid TOML: {error}") from error
    names = {field.name for field in msgspec.structs.fields(Options)}
    values.update(
        (name, env[f"JHALAK_{name.upper()}"]) for name in names if f"JHALAK_{name.upper()}" in env
    )
    try:
        return msgspec.convert(values, Options, strict=False)
    except msgspec.ValidationError as error:
        raise OptionsError(f"{error}. The options are listed by `jhalak options`.") from error


_current: Options | None = None


def options() -> Options:
    """The options of this process, read once."""
    global _current
    if _current is None:
        _current = load(os.environ)
    return _current


def forget() -> None:
    """Have the next options() read again: after the environment was changed."""
    global _current
    _current = None


@contextlib.contextmanager
def override(**changes: Any) -> Iterator[Options]:
    """Other values for a while. For tests."""
    global _current
    before = options()
    _current = msgspec.structs.replace(before, **changes)
    try:
        yield _current
    finally:
        _current = before
