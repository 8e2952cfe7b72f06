"""What an installation consists of: a bill of materials, licences, and tests of both."""
