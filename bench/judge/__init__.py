"""The offline judge of the feed: plays any recommender against real answers, beside baselines.

A recommender is a class with `begin`, `page` and `observe` (recommender.py). The data is real where
the shared folder is there (data.py), else generated and labelled synthetic (standin.py).
"""
