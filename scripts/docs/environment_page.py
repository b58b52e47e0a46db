"""environment_page.py PAGE TABLE...: prints PAGE, scdoc source, with the variables of all flags in the place of its line @FLAGS@ and the
exit statuses in that of @STATUSES@.
"""
import sys

import tables
from scdoc import bold, entry, escape
from tool_page import statuses


def variables(all_tables):
    """(variable, flag) to the commands that have the flag, by name of the variable."""
    found = {}
    for table in all_tables:
        for command in table["commands"]:
            for flag in tables.flags(command):
                if flag["environment"]:
                    long_name = next(name for name in flag["names"] if name.startswith("--"))
                    found.setdefault((flag["environment"], long_name), []).append(tables.full_name(table, command))
    return dict(sorted(found.items()))


def users(commands, count):
    return "every command" if len(commands) == count else ", ".join(map(escape, commands))


def entries(all_tables):
    count = sum(any(flag["environment"] for flag in tables.flags(command)) for table in all_tables for command in table["commands"])
    return "".join(entry(bold(variable), [f"{bold(flag)} of {users(commands, count)}."])
                   for (variable, flag), commands in variables(all_tables).items())


def page(text, all_tables):
    return text.replace("@FLAGS@\n", entries(all_tables)).replace("@STATUSES@\n", statuses(all_tables[0]))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(page(file.read(), [tables.read(path) for path in sys.argv[2:]]))
