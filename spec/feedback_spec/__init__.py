"""The contract: the OpenAPI documents and their loader, the pure time rules, and the documentation generated from
them.
"""
