"""Serves the example on the given port: `python -m tests.targets.serve 9000`."""

import sys

import uvicorn

from tests.targets.example import app

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", lifespan="off")
