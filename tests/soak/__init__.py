"""A mock under load for a long time, of which nothing may be lost and no memory may grow: `make soak`."""
