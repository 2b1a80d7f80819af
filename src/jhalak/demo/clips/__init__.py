"""Procedural clips: the same seed gives the same frames. Pure: numpy, Pillow and an ffmpeg
pipe, nothing of the platform.
"""
