"""Taste: what can be learnt about viewers and videos from answers, each of them at once.

`content` gives every video a place by what it says of itself, `cowatch` by who watched what;
`posterior` learns, in one pass and in closed form, how good videos are and whom they suit.
`docs/parts/feed.md` has the figures. Pure: arrays in, arrays out.
"""

from jhalak.feed.taste.content import SIZE, by_content
from jhalak.feed.taste.cowatch import described, places
from jhalak.feed.taste.posterior import Learner, Own, Prior

__all__ = ["SIZE", "Learner", "Own", "Prior", "by_content", "described", "places"]
