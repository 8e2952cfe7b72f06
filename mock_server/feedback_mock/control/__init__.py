"""The control protocol: projects, events and clocks, for tests. Speaks to no client of the API."""
