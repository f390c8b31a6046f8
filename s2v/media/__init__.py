"""Files and tensors, no learning."""

SAMPLE_RATE_HZ = 16000
"""Of all sound in this package (paper 3.2)."""
