"""Mutation testing of the verifier: by a changed second implementation, and by the mock with a changed document."""
