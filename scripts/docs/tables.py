"""The tables that the tools print with --help-json, and what the generators of pages and completions ask of them."""
import json
import re

LITERAL = re.compile(r"[a-z0-9-]+")  # "random" in the placeholder "N|random": a word to type as it stands


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def flags(command):
    """The flags that users are shown."""
    return [flag for flag in command["flags"] if not flag["hidden"]]


def choices(flag):
    """The words that the value may be, or may be among others."""
    return flag["choices"] or [part for part in (flag["value"] or "").split("|") if LITERAL.fullmatch(part)]


def value_kind(item):
    """What a flag's value or an operand names: "file", "folder" or None."""
    parts = (item["value"] or "").split("|")
    return "file" if "FILE" in parts else "folder" if "DIR" in parts else None


def takes_files(command):
    """True when a command reads files that stand on its command line as they are."""
    return any(value_kind(operand) == "file" for operand in command["operands"])


def full_name(table, command):
    """ "lcm-encode text", or the tool's name alone."""
    return " ".join(filter(None, (table["tool"], command["name"])))


def subcommands(table):
    return [command for command in table["commands"] if command["name"]]


def own_command(table):
    """What stands on the tool itself, without a subcommand; it may have no flags."""
    return next((command for command in table["commands"] if not command["name"]),
                {"name": "", "summary": table["summary"], "examples": [], "operands": [], "flags": []})
