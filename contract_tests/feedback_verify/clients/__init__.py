"""Verdicts on clients: runs a command through situations, and judges what it sends by `x-client-rules`."""
