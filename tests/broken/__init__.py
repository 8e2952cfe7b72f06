"""A second implementation of the endpoint, written from the page and not from the mock, and its broken variants."""
