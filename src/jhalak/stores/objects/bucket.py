"""Where a bucket is: one address, `s3://bucket?endpoint=https://host:port&region=name`.

The endpoint is always said: there is no default that calls somebody's cloud. The keys are never
part of it, so it may stand in a file, on a screen, in a log; they are in AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY of the environment, as for every program that speaks S3.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import msgspec

from jhalak.stores.objects import ObjectsError, StoreRefused

KEY, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
EXAMPLE = "s3://bucket?endpoint=https://host:port&region=us-east-1"
REGION = "us-east-1"  # what stores that have no regions take for the name of theirs
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_ENDPOINT = re.compile(
    r"(https?)://([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::([0-9]{1,5}))?/?"
)


class Bucket(msgspec.Struct, frozen=True):
    """`secure`: by TLS. `host`: as in a Host header without the port, an IPv6 address in
    brackets.
    """

    name: str
    secure: bool
    host: str
    port: int
    region: str

    @property
    def authority(self) -> str:
        """Host and port as they are signed: a scheme's own port is left out."""
        own = 443 if self.secure else 80
        return self.host if self.port == own else f"{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}"


def bucket_at(url: str) -> Bucket:
    """The bucket that an address names. Raises ObjectsError, which repeats nothing that could be a
    secret.
    """
    try:
        split = urlsplit(url)
        given = parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query))
    except ValueError as error:
        raise ObjectsError(f"not the address of a bucket. Write it as {EXAMPLE}") from error
    if "@" in url:
        raise ObjectsError(f"an address holds no keys: put them into {KEY} and {SECRET}")
    said = dict(given)
    if set(said) - {"endpoint", "region"} or len(said) != len(given):
        raise ObjectsError(f"a bucket's address has an endpoint and a region: {EXAMPLE}")
    if not _NAME.fullmatch(split.netloc) or split.path not in ("", "/") or split.fragment:
        raise ObjectsError(f"not the name of a bucket: {split.netloc!r}. Write {EXAMPLE}")
    endpoint = _ENDPOINT.fullmatch(said.get("endpoint", ""))
    if not endpoint or int(endpoint[3] or 1) not in range(1, 65_536):
        raise ObjectsError(f"not an endpoint: {said.get('endpoint', '')!r}. Write {EXAMPLE}")
    region = said.get("region", REGION)
    if not _REGION.fullmatch(region):
        raise ObjectsError(f"not a region: {region!r}")
    secure = endpoint[1] == "https"
    port = int(endpoint[3] or (443 if secure else 80))
    return Bucket(split.netloc, secure, endpoint[2].lower(), port, region)


def keys_of(env: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Access key and secret. Raises StoreRefused, which says what to set."""
    key, secret = env.get(KEY, ""), env.get(SECRET, "")
    if not key or not secret:
        missing = " and ".join(name for name in (KEY, SECRET) if not env.get(name))
        raise StoreRefused(f"no keys for the bucket: set {missing} in the environment")
    return key, secret
