"""Every column of every app is in its app's data map, and nothing else is."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import models

from jhalak.border.data_map import (
    WHILE_ACCOUNT,
    Basis,
    Column,
    DataClass,
    Purpose,
    Until,
    compare,
    days,
    technical,
)

APPS = [config for config in apps.get_app_configs() if config.name.startswith("jhalak.")]


def columns(models_: list[type[models.Model]]) -> set[str]:
    return {
        f"{model.__name__}.{field.column}"
        for model in models_
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
    }


@pytest.mark.parametrize("config", APPS, ids=lambda config: config.label)
def test_every_column_is_declared(config) -> None:
    live = columns(list(config.get_models(include_auto_created=True)))
    if not live:  # an app without rows needs no map
        return
    declared: dict[str, Column] = importlib.import_module(f"{config.name}.data_map").COLUMNS
    assert not compare(declared, live), "\n".join(compare(declared, live))


def test_the_comparison_names_what_differs() -> None:
    declared = {"Person.handle": technical(), "Person.gone": technical()}
    assert compare(declared, {"Person.handle", "Person.phone"}) == [
        "Person.gone is declared and no longer exists",
        "Person.phone is not declared in its app's data_map.py",
    ]
    assert compare(declared, set(declared)) == []


def test_a_promise_must_make_sense() -> None:
    Column(DataClass.PROFILE, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT)
    with pytest.raises(ValueError, match="about nobody"):
        Column(DataClass.TECHNICAL, Purpose.OPERATE, Basis.CONSENT, WHILE_ACCOUNT)
    with pytest.raises(ValueError, match="needs a basis"):
        Column(DataClass.CONTACT, Purpose.SERVICE, Basis.NOT_PERSONAL, WHILE_ACCOUNT)
    with pytest.raises(ValueError, match="number of days"):
        technical(days(0))
    assert days(3).until is Until.DAYS
