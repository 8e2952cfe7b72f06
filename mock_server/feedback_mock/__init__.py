"""The mock server: the document's operations, with projects as sandboxes and a clock that tests can move."""
