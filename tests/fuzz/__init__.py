"""Random input for everything that reads input, judged by rules that always hold: `make fuzz`."""
