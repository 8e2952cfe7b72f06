"""The ingest, where SDKs send events and envelopes. Knows no window."""
