"""What stands between a sound server and whoever asks it: none of it is the server's fault."""
