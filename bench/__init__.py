"""Speed and memory on this machine, against the raw session and against what else there is: `python -m bench`."""
