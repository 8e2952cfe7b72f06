"""The control protocol: projects, events and clocks, for tests. Not for clients of the API."""
