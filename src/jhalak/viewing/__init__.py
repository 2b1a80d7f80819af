"""What a viewer is served and what they answer: the feed engine behind HTTP."""
