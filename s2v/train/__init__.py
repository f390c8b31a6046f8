"""One training loop, and one file per thing trained."""
