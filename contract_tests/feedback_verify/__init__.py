"""The verifier: one verdict per rule of the document, for any implementation of the endpoint.

The public interface is the `feedback-verify` command, the suite for pytest and the schema of the JSON report. Nothing
in here is meant to be imported.
"""
