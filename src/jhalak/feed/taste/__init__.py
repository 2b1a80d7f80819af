"""Taste: what can be learnt about viewers and videos from answers, each of them at once.

`cowatch` gives every video a place among the others, from who watched what; `posterior` learns, in
one pass and in closed form, how good videos are and whom they suit. `docs/parts/feed.md` has the
figures. Pure: arrays in, arrays out.
"""

from jhalak.feed.taste.cowatch import places
from jhalak.feed.taste.posterior import Prior, Taste

__all__ = ["Prior", "Taste", "places"]
