"""The classes of the world, a file each. A new file with a `THING` is a new class."""
