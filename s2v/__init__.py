"""s2v: an open reproduction of Sound2Vision. Sound in, picture out."""

__version__ = "0.1.0"
