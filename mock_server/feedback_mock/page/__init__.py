"""The page on which people see and do what the control protocol offers. Has no powers beyond that protocol."""
