"""The verifier: one verdict per rule of the document, for any implementation of the endpoint."""
