"""Judges time when no clock can be frozen: a plan of tracks, one wait for all of them, and interval arithmetic."""
