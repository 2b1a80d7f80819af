"""What every test shares: stores, a feed engine and limits of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_rows_of_django() -> None:
    """Django writes its permissions and content types, which nothing here reads, again whenever a
    test's rows have been emptied: most of what emptying costs.
    """
    from django.contrib.auth.management import create_permissions
    from django.contrib.contenttypes.management import create_contenttypes
    from django.db.models.signals import post_migrate

    assert post_migrate.disconnect(
        create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions"
    )
    assert post_migrate.disconnect(create_contenttypes)


@pytest.fixture(autouse=True)
def _own_stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Each test that touches rows gets an empty object store and event log, and an engine of its
    own.
    """
    asked = {"db", "transactional_db"}.intersection(request.fixturenames)
    if not asked and request.node.get_closest_marker("django_db") is None:
        yield
        return
    from jhalak import records
    from jhalak.options import override
    from jhalak.people import throttle
    from jhalak.records.keyring import close_keys
    from jhalak.viewing.host import forget_hosts

    with override(data=str(tmp_path / "data")):
        forget_hosts()
        throttle.forget_all()
        yield
        records.close_stores()
        close_keys()
        forget_hosts()
