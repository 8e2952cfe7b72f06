"""The programs of `feedback-docs` and their templates. Neither mock nor verifier imports them."""
