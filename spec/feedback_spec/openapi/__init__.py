"""OpenAPI and nothing else: 3.1 rendering, overlays, examples. Knows nothing of feedback."""
