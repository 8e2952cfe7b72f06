"""What may stand between a correct server and its clients; none of it is the server's fault."""
