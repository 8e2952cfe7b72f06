"""OpenAPI and nothing else: 3.1 rendering, overlays, examples. Knows nothing about feedback."""
