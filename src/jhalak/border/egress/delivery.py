"""What is said over a line: a mail by SMTP submission (RFC 6409, TLS by RFC 8314), a POST of JSON
by HTTPS. Both over TLS, with the certificate checked for the declared name.
"""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import http.client
import re
import smtplib
import ssl
from urllib.parse import urlsplit

from jhalak.border.egress.destinations import Destination, Kind
from jhalak.border.egress.line import Line, LineError
from jhalak.border.egress.messages import Answer, Mail, Post

_ADDRESS = re.compile(r"[^\s@,;:<>\"()\\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}")
_PATH = re.compile(r"/[!-~]{0,2000}")


class Unfit(Exception):
    """The request does not go with the destination; nothing has left."""


def check(destination: Destination, request: Mail | Post) -> None:
    """Raises Unfit."""
    if isinstance(request, Mail) != (destination.kind is Kind.MAIL):
        raise Unfit(f"{destination.name} is declared for {destination.kind}")
    if isinstance(request, Post):
        if not _PATH.fullmatch(request.path) or request.path.startswith("//"):
            raise Unfit("its path is none")
    elif not _ADDRESS.fullmatch(request.to) or not request.to.isascii():
        raise Unfit("it is addressed to none or to several")
    elif re.search(r"[\x00-\x1f\x7f]", request.subject):
        raise Unfit("its subject has control characters")


def trust(destination: Destination) -> ssl.SSLContext:
    """Raises LineError where the authority that was declared cannot be read."""
    try:
        context = ssl.create_default_context(cafile=destination.ca or None)
    except OSError as error:
        why = error.strerror or error
        raise LineError(f"its ca, {destination.ca}, cannot be read: {why}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def deliver(line: Line, destination: Destination, request: Mail | Post, secret: str) -> Answer:
    """Over a line that is open. Raises LineError."""
    try:
        if isinstance(request, Mail):
            return _mail(line, destination, request, secret)
        return _post(line, destination, request, secret)
    except (smtplib.SMTPException, http.client.HTTPException, ValueError) as error:
        raise LineError(f"it answered: {_words(error)}") from error


class _Https(http.client.HTTPConnection):
    default_port = 443


def _post(line: Line, destination: Destination, request: Post, secret: str) -> Answer:
    line.start_tls(trust(destination), destination.host)
    connection = _Https(destination.host, destination.port)
    connection.sock = line  # it has what is used of a socket
    headers = {"Content-Type": "application/json", "Connection": "close", "User-Agent": "jhalak"}
    if secret:
        headers["Authorization"] = secret
    connection.request("POST", request.path, bytes(request.body), headers)
    with connection.getresponse() as answer:
        if answer.status in (307, 308):
            raise Redirected(answer.headers.get("Location", ""), request)
        return Answer(answer.status, answer.read())


class Redirected(Exception):
    """To where it is sent on. Only 307 and 308 keep a POST what it is; others are answers."""

    def __init__(self, location: str, request: Post) -> None:
        super().__init__(location)
        parts = urlsplit(location)
        self.local = not parts.scheme and not parts.netloc
        self.secure = self.local or parts.scheme == "https"
        self.host = (parts.hostname or "").removesuffix(".")
        self.port = parts.port or 443
        query = f"?{parts.query}" if parts.query else ""
        self.request = Post(f"{parts.path or '/'}{query}", request.body)


class _Smtp(smtplib.SMTP):
    """Over a line that is already there. Its own name is given, or it would be looked up."""

    def __init__(self, line: Line, host: str, name: str) -> None:
        super().__init__(local_hostname=name)
        self._host = host
        self.take(line)

    def take(self, line: Line) -> None:
        """What was read ahead before TLS is forgotten, and so is what was said in it."""
        self.sock = line  # type: ignore[assignment]  # it has what is used of one
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def expect(self, wanted: int, said: tuple[int, bytes]) -> None:
        if said[0] != wanted:
            raise smtplib.SMTPResponseException(*said)


def _mail(line: Line, destination: Destination, request: Mail, secret: str) -> Answer:
    context, host = trust(destination), destination.host
    if not destination.starttls:
        line.start_tls(context, host)
    smtp = _Smtp(line, host, destination.sender.rpartition("@")[2])
    smtp.expect(220, smtp.getreply())
    smtp.ehlo_or_helo_if_needed()
    if destination.starttls:
        smtp.expect(220, smtp.docmd("STARTTLS"))
        line.start_tls(context, host)
        smtp.take(line)
        smtp.ehlo_or_helo_if_needed()
    if secret:
        user, _, password = secret.partition(":")
        smtp.login(user, password)
    smtp.sendmail(destination.sender, [request.to], _written(destination, request))
    smtp.expect(221, smtp.docmd("QUIT"))
    return Answer(250)


def _written(destination: Destination, request: Mail) -> bytes:
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = destination.sender
    message["To"] = request.to
    message["Subject"] = request.subject
    message["Date"] = email.utils.localtime()
    message["Message-ID"] = email.utils.make_msgid(domain=destination.sender.rpartition("@")[2])
    message.set_content(request.text)
    return message.as_bytes()


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {text}"
    return str(error) or type(error).__name__
