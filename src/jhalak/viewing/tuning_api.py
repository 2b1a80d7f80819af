"""What the operator reads and changes of the feed by API: weights and experiments."""

from __future__ import annotations

from typing import Any

from ninja import Field, Router, Schema, Status

from jhalak.feed.events import Arm
from jhalak.people.access import require
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission
from jhalak.viewing.experiments import do_start_experiment, do_stop_experiment, experiments
from jhalak.viewing.tuning import do_change_weights, weights

router = Router(tags=["operator"])

REASON = "Why, for the audit log and for whoever comes after. At most 300 characters."
VALUES = {"weights.channel": 5.0, "temperature": 0.8}


class ReasonIn(Schema):
    reason: str = Field(description=REASON, examples=["Pages hold too much of one channel."])


class WeightsIn(ReasonIn):
    values: dict[str, float] = Field(
        max_length=100,
        description="Numbers by name; what is left out gets its default.",
        examples=[VALUES],
    )


class ArmIn(Schema):
    name: str = Field(max_length=40, description="As it is shown.", examples=["calmer"])
    values: dict[str, float] = Field(
        max_length=100,
        description="What it changes, on top of what is in force.",
        examples=[VALUES],
    )


class ExperimentIn(ReasonIn):
    name: str = Field(
        max_length=40, description="Small letters, digits, `.`, `_`, `-`.", examples=["calmer-draw"]
    )
    arms: list[ArmIn] = Field(
        min_length=1, max_length=3, description="Tried beside a control, on even parts."
    )
    layer: str = Field(
        "feed",
        max_length=40,
        description="Experiments of one layer share out its viewers; layers are independent.",
        examples=["feed"],
    )
    percent: float = Field(
        100.0, gt=0, le=100, description="Part of all viewers, in percent.", examples=[20]
    )
    days: int = Field(14, ge=1, le=90, description="Ends by itself after so many.", examples=[14])
    window_hours: float = Field(
        24.0,
        gt=0,
        le=336,
        description="What a viewer does in this time after the first watch counts.",
        examples=[24],
    )
    interleaved: bool = Field(
        False,
        description="The control and the one arm fill each viewer's pages in turn, and what is "
        "watched counts to whose pick it was: tells two settings apart with far fewer viewers.",
    )


@router.get("/operator/feed/weights", response=dict[str, Any], summary="The feed's weights")
def read_weights(request: Request) -> dict[str, Any]:
    """All numbers in force, those that differ from the defaults, the last changes and why."""
    require(request.viewer, Permission.READ_OPERATIONS)
    return weights()


@router.put("/operator/feed/weights", response={204: None}, summary="Change the feed's weights")
def change_weights(request: Request, body: WeightsIn) -> Status[None]:
    """They hold from the next page on. Setting old values again undoes a change."""
    operator = require(request.viewer, Permission.TUNE_FEED)
    do_change_weights(operator, body.values, body.reason)
    return Status(204, None)


@router.get("/operator/experiments", response=dict[str, Any], summary="Experiments and results")
def list_experiments(request: Request) -> dict[str, Any]:
    """The newest first; of each arm its means, and intervals that may be looked at every day."""
    require(request.viewer, Permission.READ_OPERATIONS)
    return {"items": experiments()}


@router.post("/operator/experiments", response={204: None}, summary="Start an experiment")
def start_experiment(request: Request, body: ExperimentIn) -> Status[None]:
    operator = require(request.viewer, Permission.TUNE_FEED)
    do_start_experiment(
        operator,
        body.name,
        [Arm(arm.name, arm.values) for arm in body.arms],
        body.reason,
        layer=body.layer,
        percent=body.percent,
        days=body.days,
        window_hours=body.window_hours,
        interleaved=body.interleaved,
    )
    return Status(204, None)


@router.post(
    "/operator/experiments/{name}/stop", response={204: None}, summary="Stop an experiment"
)
def stop_experiment(request: Request, name: str, body: ReasonIn) -> Status[None]:
    operator = require(request.viewer, Permission.TUNE_FEED)
    do_stop_experiment(operator, name, body.reason)
    return Status(204, None)
