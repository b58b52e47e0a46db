"""bash_completion.py TABLE: prints the completion of one tool for bash."""
import shlex
import sys

import tables

FRAME = """\
# Completion of {tool} for bash, generated from `{tool} --help-json`.
{function}() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command= operands= at
    # --flag=value arrives as three words.
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]]; then
        before=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((at = 1; at < COMP_CWORD; ++at)); do
        case ${{COMP_WORDS[at]}} in
{scan}            --)
                operands=yes
                break
                ;;
        esac
    done
    COMPREPLY=()
    if [[ ! $operands ]]; then
        case $command:$before in
{values}        esac
        if [[ $word == -* ]]; then
            case $command in
{flags}            esac
            return
        fi
    fi
    case $command in
{operands}    esac
}}
complete -F {function} {tool}
"""
FILES = {"file": "-f", "folder": "-d"}


def case(pattern, body, depth):
    """One branch of a `case`, its body a list of lines."""
    space = " " * depth
    return "".join([f"{space}{pattern})\n", *(f"{space}    {line}\n" for line in body), f"{space}    ;;\n"])


def reply(options):
    return f'mapfile -t COMPREPLY < <(compgen {options} -- "$word")'


def offer(item):
    """Lines that answer with the words and files that a value or operand may be."""
    words, kind = tables.choices(item) if "choices" in item else [], tables.value_kind(item)
    options = ([FILES[kind]] if kind else []) + ([f"-W {shlex.quote(' '.join(words))}"] if words else [])
    lines = ["compopt -o filenames 2>/dev/null"] if kind else []
    return lines + ([reply(" ".join(options))] if options else [])


def scan_cases(table):
    """Branches that skip the values of the tool's own flags and find the subcommand."""
    names = [name for flag in tables.own_command(table)["flags"] if flag["value"] for name in flag["names"]]
    skip = ["[[ ${COMP_WORDS[at + 1]} == = ]] && ((++at))", "((++at))"]
    commands = [command["name"] for command in tables.subcommands(table)]
    text = case(" | ".join(names), skip, 12) if names and commands else ""
    return text + (case(" | ".join(commands), ["command=${COMP_WORDS[at]}", "break"], 12) if commands else "")


def value_cases(commands):
    """Branches by what they offer: flags that take the same share one."""
    patterns = {}
    for command in commands:
        for flag in tables.flags(command):
            if flag["value"]:
                patterns.setdefault(tuple(offer(flag)), []).extend(f"{command['name']}:{name}" for name in flag["names"])
    return "".join(case(" | ".join(names), [*lines, "return"], 12) for lines, names in patterns.items())


def flag_case(command):
    names = " ".join(name for flag in tables.flags(command) for name in flag["names"])
    return case(command["name"] or "''", [reply(f"-W {shlex.quote(names)}")], 16)


def operand_case(table, command):
    lines = [line for operand in command["operands"] for line in offer(operand)]
    names = [sub["name"] for sub in tables.subcommands(table)]
    if not command["name"] and names:
        words = f"-W {shlex.quote(' '.join(names))}"
        lines = ["compopt -o filenames 2>/dev/null", reply("-f " + words)] if tables.takes_files(command) else [reply(words)]
    return case(command["name"] or "''", lines, 8) if lines else ""


def completion(table):
    commands = [tables.own_command(table), *tables.subcommands(table)]
    return FRAME.format(tool=table["tool"], function="_" + table["tool"].replace("-", "_"), scan=scan_cases(table),
                        values=value_cases(commands), flags="".join(map(flag_case, commands)),
                        operands="".join(operand_case(table, command) for command in commands))


if __name__ == "__main__":
    sys.stdout.write(completion(tables.read(sys.argv[1])))
