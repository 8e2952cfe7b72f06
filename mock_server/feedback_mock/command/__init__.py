"""The `feedback-mock` command: its options, its output, and how it ends."""
