"""A mock under load for a long time, which must lose nothing and must not grow in memory: `make soak`."""
