"""What the tools say of themselves with --help-json: the one table that pages and completions are checked against."""
import functools
import json
import subprocess

from harness import ALL_TOOLS, TIME_LIMIT, command


@functools.cache
def table(tool):
    return json.loads(subprocess.run(command(tool, "--help-json"), stdout=subprocess.PIPE, timeout=TIME_LIMIT, check=True).stdout)


TABLES = {tool: table(tool) for tool in ALL_TOOLS}


def commands(tool):
    """("lcm-encode text", its command) of each command of a tool."""
    return [(f"{tool} {command['name']}".rstrip(), command) for command in TABLES[tool]["commands"]]


def visible_names(command):
    """All names of the flags that users are shown."""
    return {name for flag in command["flags"] if not flag["hidden"] for name in flag["names"]}
