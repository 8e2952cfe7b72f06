"""Clients of the mock that are not ours: the examples, generated SDKs, and how each is run."""
