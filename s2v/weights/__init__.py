"""Published weights by name: where they are to be had, under which licence, and as models of this package."""
