"""What is minimised: formulas of what nets gave for a whole batch; a file for each, so that an edit reruns no more."""
