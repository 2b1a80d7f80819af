"""The demo world: procedural clips, the people who post them, and a crowd that watches. HTTP
only.
"""
