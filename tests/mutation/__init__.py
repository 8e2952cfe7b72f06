"""Mutation testing of the verifier: with a changed second implementation, and with the mock and a changed document."""
