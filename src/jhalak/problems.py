"""What can go wrong for a person, as exceptions: a status, a stable code, and words that say what
to do.

    Problem
    ├── BadRequest     400   the request cannot be read
    ├── SignInNeeded   401   nobody is signed in
    ├── Forbidden      403   signed in, and may not
    ├── NotFound       404   absent, or hidden from this viewer: both look the same from outside
    ├── Conflict       409   true a moment ago, not now
    ├── Gone           410   was here, has ended
    ├── TooLarge       413   over a limit that is named in the message
    ├── WrongType      415   a kind of data that is not taken
    ├── Invalid        422   read, and not acceptable
    ├── TooMany        429   slower, please
    └── Unavailable    503   a part of ours is away: ask again, nothing is lost

Raised anywhere below the API; turned into `{"error": {"code", "message", "field"}}` at one place
(site.api). Messages may be lazy translations: they are rendered in the language of the request that
fails.
"""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):
    """Base of everything that is answered to a person. `message` is any object whose str() is the
    text.
    """

    status = 500

    def __init__(
        self,
        code: str,
        message: object,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})  # e.g. Retry-After, Tus-Version


class BadRequest(Problem):
    status = 400


class SignInNeeded(Problem):
    status = 401


class Forbidden(Problem):
    status = 403


class NotFound(Problem):
    status = 404


class Conflict(Problem):
    status = 409


class Gone(Problem):
    status = 410


class TooLarge(Problem):
    status = 413


class WrongType(Problem):
    status = 415


class Invalid(Problem):
    status = 422


class TooMany(Problem):
    status = 429


class Unavailable(Problem):
    status = 503
