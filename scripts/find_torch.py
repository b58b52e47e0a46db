"""Prints the folder of the installed torch wheel without importing it (an import takes seconds)."""
import importlib.util
import os
import sys

spec = importlib.util.find_spec("torch")
if spec is None or not spec.submodule_search_locations:
    sys.exit(f"{sys.executable} has no torch: run `pip install torch==2.13.0`, or give -Dtorch_dir=")
print(os.path.realpath(spec.submodule_search_locations[0]))
