"""How far sounds are steered; a file of its own, so that the command line can say so without torch."""

GAINS_DB = (-80.0, 40.0)
"""Least and most gain: beyond it nothing is left of a sound, or all of it is clipped."""

__all__ = ["GAINS_DB"]
