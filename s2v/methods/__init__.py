"""Ways from a sound to a picture, behind one interface."""
