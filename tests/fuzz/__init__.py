"""Random input for everything that reads input, judged by rules that hold for all of it: `make fuzz`."""
