"""A local page to play with: sounds in, pictures out (`s2v studio`)."""
