"""`jhalak feed ...`: what an operator does with the feed from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jhalak.feed.events import ModelKind
from jhalak.viewing.weights_commands import weights_cli

if TYPE_CHECKING:
    from jhalak.feed.training import Verdict

feed_cli = typer.Typer(help="The feed: its weights, its training.", no_args_is_help=True)
feed_cli.add_typer(weights_cli, name="weights")


@feed_cli.callback()
def feed() -> None:
    """The feed: its weights, its training."""


@feed_cli.command("train")
def train(
    kind: Annotated[
        ModelKind, typer.Argument(help="places: where videos lie; ranker: needs jhalak[train].")
    ] = ModelKind.PLACES,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Train and judge; keep and promote nothing.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn in it.")] = 1,
) -> None:
    """Learn from the event log where videos lie, or to rank the best of a page.

    What comes of it is put in force only if it tells the newest views better than what is in force
    (1 is returned if it does not). The worker trains places by itself whenever the log has grown.
    """
    from jhalak.feed.training import NoTorch, TooFew
    from jhalak.viewing import training

    try:
        if kind is ModelKind.RANKER:
            proposal = training.propose_ranker(seed=seed)
        else:
            proposal = training.propose(seed=seed)
    except (TooFew, NoTorch) as few:
        raise _fail(f"{few}.") from few
    typer.echo(table(proposal.verdict))
    if not proposal.verdict.passed:
        raise _fail(f"Not promoted: {proposal.verdict.why}.")
    if dry_run:
        typer.echo("It passes. Nothing was kept: this was a dry run.")
        return
    try:
        typer.echo(f"Promoted: {training.do_promote(None, proposal)}")
    except (training.Refused, OSError) as error:
        raise _fail(f"Not promoted: {error}.") from error


@feed_cli.command("rollback")
def rollback(
    reason: Annotated[str, typer.Option(help="Why; it is kept with who did what.")],
    kind: Annotated[ModelKind, typer.Argument(help="What to take back.")] = ModelKind.PLACES,
) -> None:
    """Take back what is in force: what was before it is served again, from the next page on."""
    from jhalak.viewing import training

    try:
        digest = training.do_roll_back(None, reason, kind)
    except training.Refused as refused:
        raise _fail(f"Not taken back: {refused}.") from refused
    typer.echo(f"In force again: {digest}" if digest else "Nothing trained is in force now.")


def table(verdict: Verdict) -> str:
    """The verdict of a gate, for a person."""
    low, high = verdict.interval
    rows = (verdict.candidate, verdict.other)
    lines = [f"{row.name:<14}{row.auc:>8.4f}{row.loss:>10.4f}" for row in rows]
    gain = f"{'gain':<14}{verdict.gain:>+8.4f}  ({low:+.4f} to {high:+.4f} in 95 of 100)"
    views = f"{verdict.views} views of {verdict.viewers} viewers; {verdict.good:.0%} felt good."
    return "\n".join([f"{'':<14}{'AUC':>8}{'log loss':>10}", *lines, gain, views])


def _fail(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)
