"""Clients that each break one of the rules for clients, and the correct ones that they derive from."""
