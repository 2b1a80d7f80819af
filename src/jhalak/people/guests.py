"""Guests: viewers without an account, known by a random name in a signed cookie.

Nothing is stored for a guest. The signature keeps others from choosing a name (and so from steering
or reading somebody else's feed). The name is made only when a request needs it, so a page that
needs none sets no cookie.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpResponseBase

COOKIE = "jhalak_guest"
COOKIE_AGE = 60 * 60 * 24 * 365
SALT = "jhalak.people.guest"


class Guest:
    """The guest of one request. `key` reads the cookie, or makes a name that `answer` sends."""

    def __init__(self, cookie: str = "") -> None:
        self._cookie = cookie
        self._key = ""
        self._fresh = False
        self._forgotten = False

    @property
    def known_key(self) -> str:
        """The key that this browser brought, validly signed, else empty. Makes none."""
        if not self._key and self._cookie:
            try:
                self._key = "g" + Signer(salt=SALT).unsign(self._cookie)
            except BadSignature:
                self._cookie = ""  # forged, or signed by another installation: a new guest
        return self._key

    @property
    def key(self) -> str:
        """The letter g and 32 hex digits."""
        if not self.known_key:
            self._key = "g" + secrets.token_hex(16)
            self._fresh = True
        return self._key

    def forget(self) -> None:
        """Takes the name from this browser, at log out: who comes next is somebody else."""
        self._forgotten = True

    @property
    def touched(self) -> bool:
        """Whether this request asked who the guest is, so that its answer depends on the cookie."""
        return bool(self._key) or self._forgotten

    def answer(self, response: HttpResponseBase) -> None:
        """Sets or removes the cookie on a response, where this request changed it."""
        if self._forgotten:
            response.delete_cookie(COOKIE, samesite="Lax")
        elif self._fresh:
            response.set_cookie(
                COOKIE,
                Signer(salt=SALT).sign(self._key[1:]),
                max_age=COOKIE_AGE,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
