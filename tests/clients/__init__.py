"""Clients of the mock that are not ours: the examples, generated SDKs, and how to run each."""
