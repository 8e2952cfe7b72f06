"""The mock and the verifier compared with a real Sentry; see `make verify-sentry`."""
