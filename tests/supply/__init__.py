"""What an installation consists of: a bill of materials, licences, and what is tested of both."""
