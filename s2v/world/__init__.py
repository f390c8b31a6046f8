"""The embedded world: a procedural audio-visual data set with known truth."""
