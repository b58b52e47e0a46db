"""zsh_completion.py TABLE: prints the completion of one tool for zsh."""
import re
import sys

import tables

ACTIONS = {"file": "_files", "folder": "_files -/", None: ""}


def escape(text):
    """Text within a specification of _arguments: colons and brackets end its parts."""
    return re.sub(r"([\\:\[\]])", r"\\\1", text)


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def action(item):
    words = tables.choices(item) if "choices" in item else []
    kind = tables.value_kind(item)
    if words and kind:
        return escape(f"{{_alternative \"words:word:({' '.join(words)})\" \"files:file:{ACTIONS[kind]}\"}}")
    return f"({' '.join(words)})" if words else ACTIONS[kind]


def argument(item):
    """ ":NAME:ACTION", a value's part of a specification."""
    return f":{escape(item['value'])}:{action(item)}"


def flag_specifications(flag):
    """One specification for each name; the names of a flag rule each other out unless it repeats."""
    before = "*" if flag["repeats"] else f"({' '.join(flag['names'])})" if len(flag["names"]) > 1 else ""
    for name in flag["names"]:
        takes = "" if not flag["value"] else "=" if name.startswith("--") else "+" if len(name) == 2 else ""
        yield quote(f"{before}{name}{takes}[{escape(flag['help'])}]{argument(flag) if flag['value'] else ''}")


def operand_specification(operand):
    place = "*" if operand["repeats"] else "" if operand["required"] else ":"
    return quote(place + argument(operand))


def specifications(command):
    words = [word for flag in tables.flags(command) for word in flag_specifications(flag)]
    return words + [operand_specification(operand) for operand in command["operands"]]


def call(words, depth):
    """A call of _arguments, one specification a line."""
    space = " " * depth
    return f"{space}_arguments -S" + "".join(f" \\\n{space}    {word}" for word in words) + "\n"


def one_command(command):
    return call(specifications(command), 4)


def several_commands(table):
    """The tool's own flags up to the subcommand, then those of the subcommand."""
    files = tables.takes_files(tables.own_command(table))
    names = " ".join(f"{command['name']}\\:{quote(escape(command['summary']))}" for command in tables.subcommands(table))
    first = f'"(-):command:(({names}))"'
    if files:
        words = " ".join(command["name"] for command in tables.subcommands(table))
        first = quote("(-):command:" + escape(f'{{_alternative "commands:command:({words})" "files:file:_files"}}'))
    words = [word for flag in tables.flags(tables.own_command(table)) for word in flag_specifications(flag)]
    text = "    local curcontext=$curcontext state line\n"
    text += call(["-C", *words, first, "'(-)*::argument:->arguments'"], 4)
    text += "    [[ $state == arguments ]] || return\n    case $line[1] in\n"
    for command in tables.subcommands(table):
        text += f"        {command['name']})\n{call(specifications(command), 12)}            ;;\n"
    other = f"        *)\n{call(specifications(tables.own_command(table)), 12)}            ;;\n" if files else ""
    return text + other + "    esac\n"


def completion(table):
    function = "_" + table["tool"]
    body = several_commands(table) if tables.subcommands(table) else one_command(tables.own_command(table))
    return (f"#compdef {table['tool']}\n# Completion of {table['tool']} for zsh, generated from `{table['tool']} --help-json`.\n"
            f"{function}() {{\n{body}}}\n{function} \"$@\"\n")


if __name__ == "__main__":
    sys.stdout.write(completion(tables.read(sys.argv[1])))
