"""The command `feedback-mock`: its options, what it says, and how it ends."""
