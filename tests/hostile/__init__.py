"""Requests designed to cost a lot, for tests and for `benchmarks.hostile`."""
