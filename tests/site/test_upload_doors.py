"""Who may not upload is told so, and is not led to a page that refuses."""

from __future__ import annotations

import pytest
from tests.factories import browser, person

from jhalak.people.roles import HOLDERS, Permission, Role

pytestmark = pytest.mark.django_db
NAVIGATION = 1  # the plus of every page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.CREATOR])
def test_doors_to_upload_are_for_those_who_may(role: Role) -> None:
    somebody = person("meera", role)
    may = role in HOLDERS[Permission.UPLOAD]
    for path, doors in (("/@meera", 1), ("/studio", 2)):
        page = browser(somebody).get(path, headers={"accept-language": "en"}).content.decode()
        assert page.count('href="/upload"') == NAVIGATION + (doors if may else 0)
        assert ("Ask the operator" in page) is not may
