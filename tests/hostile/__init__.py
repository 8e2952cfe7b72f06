"""Requests that are meant to cost much, for tests and for `benchmarks.hostile`."""
