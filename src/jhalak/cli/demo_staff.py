"""What the demo world needs and HTTP does not give: its channels, and people who are entrusted with
roles.
"""

from __future__ import annotations

from pathlib import Path

import jhalak.demo
from jhalak.demo import manifest
from jhalak.demo.people import STAFF
from jhalak.people import actions
from jhalak.people.models import Person
from jhalak.people.roles import Role
from jhalak.videos.channels import load_channels

CHANNELS = Path(jhalak.demo.__file__).parent / "channels.json"


def prepare(data: Path) -> None:
    """Makes what is missing; a second start finds all of it. Log-ins share the password of the
    world.
    """
    load_channels(CHANNELS)
    password = manifest.load(data).password
    known = set(
        Person.objects.filter(handle__in=[one.handle for one in STAFF]).values_list(
            "handle", flat=True
        )
    )
    for one in STAFF:
        if one.handle not in known:
            actions.do_add_person(
                one.handle, password, name=one.handle.title(), role=Role(one.role)
            )
