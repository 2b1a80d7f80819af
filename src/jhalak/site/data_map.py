"""What is kept outside rows, objects and events, and what the tables of the framework hold: see
jhalak.border.data_map.
"""

from __future__ import annotations

from jhalak.border.data_map import (
    WHILE_ACCOUNT,
    WHILE_INSTALLATION,
    WHILE_ITEM,
    Basis,
    Column,
    DataClass,
    Erasure,
    Purpose,
    Subject,
    days,
    technical,
)

_FRAMEWORK = technical(WHILE_INSTALLATION, "of Django; nobody's name is in it")
_ALL = Column(
    DataClass.PROFILE, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT, note="column by column above"
)
_LEARNT = Column(
    DataClass.BEHAVIOUR,
    Purpose.RECOMMEND,
    Basis.CONSENT,
    WHILE_ACCOUNT,
    note="made anew from the log of events after each erasure",
)
_KEY = Column(
    DataClass.SECRET, Purpose.OPERATE, Basis.NOT_PERSONAL, WHILE_INSTALLATION, note="of nobody"
)
_PROOF = technical(WHILE_INSTALLATION, "names people by keyed hashes alone")
_PASSING = technical(days(1), "while the site runs")
_LINE = technical(days(30), "rotated by the operator's machine; says no name")
_ADDRESS = Column(
    DataClass.BEHAVIOUR,
    Purpose.SAFETY,
    Basis.LEGITIMATE_USE,
    days(180),
    Erasure.KEEP_UNTIL,
    "only with the option front_log; a network address, not tied to an account here",
)
_IN_BROWSER = Column(
    DataClass.PROFILE,
    Purpose.SERVICE,
    Basis.SERVICE,
    days(365),
    note="in the person's own browser, and sent nowhere else; cleared there",
)
_SENT = Column(
    DataClass.SECRET,
    Purpose.SERVICE,
    Basis.SERVICE,
    days(365),
    note="a random or signed name, so that requests of one browser belong together",
)

COLUMNS: dict[str, Column] = {
    f"{table}.{name}": _FRAMEWORK
    for table, names in {
        "django_migrations": ("id", "app", "name", "applied"),
        "django_content_type": ("id", "app_label", "model"),
        "auth_permission": ("id", "content_type_id", "codename", "name"),
        "auth_group": ("id", "name"),
        "auth_group_permissions": ("id", "group_id", "permission_id"),
    }.items()
    for name in names
}
FILES: dict[str, Column] = {
    "jhalak.db": _ALL,
    "events.db": _ALL,
    "objects": _ALL,
    "uploads": Column(DataClass.PUBLIC_POST, Purpose.SERVICE, Basis.SERVICE, days(2)),
    "work": technical(WHILE_ITEM, "videos while they are made"),
    "feed": _LEARNT,
    "run": _PASSING,
    "border": _PROOF,
    "secret.key": _KEY,
    "jhalak.toml": technical(WHILE_INSTALLATION, "what the operator set"),
    "demo.json": _KEY,
    "crowd.json": technical(WHILE_INSTALLATION, "names of the demo's visitors, who are nobody"),
    "demo-scratch": technical(WHILE_INSTALLATION, "the demo's clips while they are painted"),
}
LOGS: dict[str, Column] = {
    **{f"process.{name}": _LINE for name in ("asctime", "levelname", "name", "message")},
    **{
        f"front.{name}": _ADDRESS
        for name in (
            "remote_addr", "time_local", "request", "status", "body_bytes_sent", "http_user_agent",
        )
    },
}  # fmt: skip
BROWSER: dict[str, Column] = {
    "cookie jhalak_session": _SENT,
    "cookie jhalak_guest": _SENT,
    "cookie jhalak_theme": _IN_BROWSER,
    **{
        f"localStorage jhalak.{name}": _IN_BROWSER
        for name in ("saver", "line", "sound", "captions", "captionLanguage", "swiped")
    },
    **{f"sessionStorage jhalak.{name}": _IN_BROWSER for name in ("events", "left", "captions")},
    "cache jhalak": technical(WHILE_INSTALLATION, "static files and the page for no network"),
}
SUBJECTS: dict[str, Subject] = {}
