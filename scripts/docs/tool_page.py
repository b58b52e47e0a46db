"""tool_page.py TABLE ABOUT TOOL...: prints the manual page of one tool as scdoc source.

ABOUT is its description, in scdoc too; the TOOLs are those that it refers to.
"""
import sys

import tables
from scdoc import bold, entry, escape, italic

SEVERAL = "It may be given several times."
GROUPLESS = "Options"  # what the parser calls the group of what stands in none


def names(flag):
    value = f" {italic(flag['value'])}" if flag["value"] else ""
    return ", ".join(map(bold, flag["names"])) + value


def facts(flag):
    """What else is known of a flag, each a sentence."""
    if not all(word in flag["help"] for word in flag["choices"]):
        yield f"One of {', '.join(map(bold, flag['choices']))}."
    if flag["default"]:
        yield f"Default: {bold(flag['default'])}."
    if flag["required"]:
        yield "It must be given."
    if flag["repeats"]:
        yield SEVERAL


def sentence(text):
    return escape(text) + ("" if text.endswith((".", "?")) else ".")


def flag_entries(flags):
    """The flags under the headings of their groups."""
    text, group = "", None
    for flag in flags:
        if flag["group"] != group:
            group = flag["group"]
            text += f"*{escape(group)}*\n\n" if group != GROUPLESS else ""
        text += entry(names(flag), [sentence(flag["help"]), *facts(flag)])
    return text


def operand_entries(command):
    return "".join(entry(italic(operand["name"]), [sentence(operand["help"]), *([SEVERAL] if operand["repeats"] else [])])
                   for operand in command["operands"])


def synopsis(table, command):
    operands = []
    for operand in command["operands"]:
        text = italic(operand["name"]) + ("..." if operand["repeats"] else "")
        operands.append(text if operand["required"] else f"\\[{text}\\]")
    return " ".join([bold(tables.full_name(table, command)), f"\\[{italic('FLAG')}...\\]", *operands])


def shared_flags(table):
    """Flags that all commands of a tool with several have in the same words: they are described once."""
    lists = [tables.flags(command) for command in table["commands"] if any(flag["environment"] for flag in command["flags"])]
    return [flag for flag in lists[0] if all(flag in flags for flags in lists)] if len(lists) > 1 else []


def command_section(heading, command, without):
    text = operand_entries(command) + flag_entries([flag for flag in tables.flags(command) if flag not in without])
    return f"# {heading}\n\n{text}" if text else ""


def flag_sections(table):
    """What stands on the tool itself, then each subcommand, then what they share."""
    own, commands, shared = tables.own_command(table), tables.subcommands(table), shared_flags(table)
    if not commands:
        return command_section("FLAGS", own, [])
    text = command_section("WITHOUT A SUBCOMMAND", own, shared)
    for command in commands:
        heading = f"{tables.full_name(table, command).upper()}\n\n{sentence(command['summary'])}"
        text += command_section(heading, command, shared)
    return text + (f"# FLAGS OF EVERY COMMAND\n\n{flag_entries(shared)}" if shared else "")


def examples(table):
    lines = dict.fromkeys(line for command in table["commands"] for line in command["examples"])
    return "# EXAMPLES\n\n```\n" + "".join(f"{line}\n" for line in lines) + "```\n\n"


def statuses(table):
    """Exit codes and signals with their meanings."""
    return "".join(entry(f"{bold(str(row['code']))} {escape(row['name'])}", [escape(row["meaning"])])
                   for row in (*table["exit_codes"], *table["signals"]))


def see_also(table, others):
    pages = [f"*{name}*(1)" for name in others if name != table["tool"]] + ["*lcm-stream*(5)", "*lcm-environment*(7)"]
    return f"# SEE ALSO\n\n{', '.join(pages)}\n"


def page(table, about, tools):
    tool, summary = table["tool"], table["summary"]
    commands = [command for command in (tables.own_command(table), *tables.subcommands(table))
                if command["flags"] or command["operands"]]
    usages = "++\n".join(synopsis(table, command) for command in commands)
    return (f"{tool}(1) \"LCM Laur {table['version']}\" \"LCM Laur\"\n\n# NAME\n\n{tool} - {escape(summary[0].lower() + summary[1:])}\n\n"
            f"# SYNOPSIS\n\n{usages}\n\n# DESCRIPTION\n\n{about}\n{examples(table)}{flag_sections(table)}"
            "# ENVIRONMENT AND CONFIGURATION\n\nEach flag that has a long name can also be set by a variable or in a file: see "
            f"*lcm-environment*(7).\n\n# EXIT STATUS\n\n{statuses(table)}{see_also(table, tools)}")


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        sys.stdout.write(page(tables.read(sys.argv[1]), file.read(), sys.argv[3:]))
