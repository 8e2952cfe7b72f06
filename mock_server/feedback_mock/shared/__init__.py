"""Projects that several processes and hosts serve together, by a log of each in Redis: see `docs/scale.md`."""
