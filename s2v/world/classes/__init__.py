"""The classes of the world: a file with a `THING` is one class, a file with `THINGS` a group of composed ones."""
