"""The mock and the verifier held against a real Sentry; see `make verify-sentry`."""
