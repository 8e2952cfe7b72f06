"""Verdicts on clients: a command is played through situations, and what it sends is judged by `x-client-rules`."""
