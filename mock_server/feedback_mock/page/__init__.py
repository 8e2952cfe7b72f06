"""The page on which a person sees and does what the control protocol offers. Has no powers beyond that protocol."""
