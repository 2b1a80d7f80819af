"""The ranker: a small network, trained on the log, that reorders the best of a page.

The learner (feed.taste) learns from every answer at once and knows little structure; the network is
trained now and then and sees more: the last watches in their order, how each ended, and everything
that the learner says of a candidate, its score included, so that what was learnt a moment ago
reaches the final score. `layout` says what goes in and comes out, `inputs` makes it, `watch_time`
reads watch time, `model` runs the file, `scorer` is the stage of the pipeline. Nothing here trains:
see feed.training. Without a ranker in force nothing of this is used.
"""
