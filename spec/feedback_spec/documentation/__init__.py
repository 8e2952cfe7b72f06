"""The `feedback-docs` commands and their templates. Neither mock nor verifier imports them."""
