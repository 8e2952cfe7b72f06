"""Verdicts on clients: a client's command is played through situations, and its requests are judged by `x-client-rules`."""
