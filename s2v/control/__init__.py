"""Steering pictures by sound: in the waveform (paper 5.1) and in the latent space (5.2)."""
