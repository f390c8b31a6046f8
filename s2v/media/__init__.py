"""Files and tensors, no learning."""
