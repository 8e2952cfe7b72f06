"""What the project measures itself against. Ratios of one run: machines are noisy."""
