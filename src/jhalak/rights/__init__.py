"""What a person may ask of what is kept about them: all of it as a file, and its end.

Both walk the data map (`jhalak.border.data_map`): what a room declares in its `data_map.py` is what
is downloaded and what is erased. This room stands above all apps, because it reads and ends rows of
each of them; the map tells it how, so no app knows of it.
"""
