"""Trying out numbers of the draw on a part of the viewers, and reading what came of it.

    plans        what an experiment is, and whether it can run beside those that do
    assignment   who is in it, and in which arm: layers of buckets, by hash
    units        what each viewer in it did, one row each
    ledger       the experiments of one log, running and ended
    sequences    intervals and tests that stay true however often one looks
    results      what is known by now, in numbers and in one word

Layers: Tang, Agarwal, O'Brien, Meyer, "Overlapping experiment infrastructure" (KDD 2010). Looking
every day: Johari, Koomen, Pekelis, Walsh, "Peeking at A/B tests" (KDD 2017).
"""
