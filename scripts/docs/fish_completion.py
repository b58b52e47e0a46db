"""fish_completion.py TABLE: prints the completion of one tool for fish."""
import sys

import tables

FILES = {"file": "-r -F", "folder": "-x -a '(__fish_complete_directories)'"}


def quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def condition(table, command):
    """When the flags and operands of a command are offered."""
    names = " ".join(other["name"] for other in tables.subcommands(table))
    if not names:
        return ""
    test = f"__fish_seen_subcommand_from {command['name']}" if command["name"] else f"not __fish_seen_subcommand_from {names}"
    return f" -n {quote(test)}"


def name_option(name):
    """A name as `complete` takes it: -s of one letter, -l after two dashes, -o of several letters after one."""
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" if len(name) == 2 else f"-o {name[1:]}"


def value_options(flag):
    words, kind = tables.choices(flag), tables.value_kind(flag)
    if not flag["value"]:
        return ""
    if words:
        return f" {'-r -F' if kind == 'file' else '-x'} -a {quote(' '.join(words))}"
    return " " + FILES.get(kind, "-x")


def flag_line(start, flag):
    return f"{start} {' '.join(map(name_option, flag['names']))}{value_options(flag)} -d {quote(flag['help'])}\n"


def operand_line(start, operand):
    kind = tables.value_kind(operand)
    return f"{start} {FILES[kind].replace('-r ', '').replace('-x ', '')}\n" if kind else ""


def command_lines(table, command):
    start = f"complete -c {table['tool']}{condition(table, command)}"
    return "".join([flag_line(start, flag) for flag in tables.flags(command)]
                   + [operand_line(start, operand) for operand in command["operands"]])


def completion(table):
    text = f"# Completion of {table['tool']} for fish, generated from `{table['tool']} --help-json`.\n"
    text += f"complete -c {table['tool']} -f\n"
    for command in tables.subcommands(table):
        start = f"complete -c {table['tool']}{condition(table, tables.own_command(table))}"
        text += f"{start} -a {command['name']} -d {quote(command['summary'])}\n"
    return text + "".join(command_lines(table, command) for command in [tables.own_command(table), *tables.subcommands(table)])


if __name__ == "__main__":
    sys.stdout.write(completion(tables.read(sys.argv[1])))
