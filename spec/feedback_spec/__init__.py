"""The contract: the OpenAPI document, its loader, the pure time rules and the documentation made from it."""
