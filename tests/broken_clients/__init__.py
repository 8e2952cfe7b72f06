"""Clients that break one of the rules for clients each, and the sound ones that they are made of."""
