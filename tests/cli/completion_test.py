"""The completions of bash, zsh and fish, run in those shells: each offers the flags, subcommands, choices and files of the table."""
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from harness import ALL_TOOLS
from pseudo_terminal import PseudoTerminal
from tool_tables import TABLES, commands, visible_names

COMPLETIONS = pathlib.Path(os.environ["LCM_COMPLETIONS"])

# Answers every line of `questions`, the command line typed so far, as a shell with the completions of `$tool` would.
BASH = r"""
set -u
complete() { function=$2; }
. "$1"
while IFS= read -r line; do
    read -ra COMP_WORDS <<< "${line//=/ = }"
    [[ $line == *[\ =] ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    printf '? %s\n' "$line" >> answers
    COMPREPLY=()
    "$function"
    [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" >> answers
done < questions
"""
FISH = r"""
source $argv[1]
while read line
    echo "? $line" >> answers
    complete -C "$line" | string replace -r '\t.*' '' >> answers
end < questions
true
"""
ZSHRC = r"""
fpath=($PWD $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
    # Calls that only fill arrays are the completion system's own.
    if [[ ${@[(i)-[OAD]]} -lt ${@[(i)(-|--)]} ]]; then builtin compadd "$@"; return; fi
    local -a hits
    builtin compadd -O hits "$@"
    print -rl -- ${hits:#} >> answers
    builtin compadd "$@"
}
zle-line-init() {
    local question
    for question in ${(f)"$(<questions)"}; do
        print -r -- "? $question" >> answers
        BUFFER=$question
        CURSOR=$#BUFFER
        zle list-choices
    done
    BUFFER=exit
    zle accept-line
}
zle -N zle-line-init
"""


def on_terminal(argv, folder, environment):
    """Runs a program on a terminal of its own until it ends."""
    terminal = PseudoTerminal()
    its = terminal.slave
    process = subprocess.Popen(argv, cwd=folder, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True)
    terminal.take_text()
    process.wait(harness.TIME_LIMIT)


class Completion(harness.ToolTest):
    def shell_environment(self, folder):
        return self.environment({"ZDOTDIR": str(folder), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)})

    def run_bash(self, tool, folder):
        subprocess.run(["bash", "-c", BASH, "bash", COMPLETIONS / tool], cwd=folder, env=self.shell_environment(folder), check=True)

    def run_fish(self, tool, folder):
        subprocess.run(["fish", "--no-config", "-c", FISH, COMPLETIONS / f"{tool}.fish"], cwd=folder, check=True,
                       env=self.shell_environment(folder), stdin=subprocess.DEVNULL)

    def run_zsh(self, tool, folder):
        (folder / ".zshrc").write_text(ZSHRC)
        shutil.copy(COMPLETIONS / f"_{tool}", folder)
        on_terminal(["zsh", "-i"], folder, self.shell_environment(folder))

    def ask(self, shell, tool, questions):
        """What the shell offers after each line, as sets."""
        folder = self.path(f"{shell}-{tool}")
        folder.mkdir()
        (folder / "questions").write_text("".join(f"{line}\n" for line in questions))
        (folder / "a picture.png").touch()
        (folder / "a-folder").mkdir()
        getattr(self, f"run_{shell}")(tool, folder)
        answers = {}
        for line in (folder / "answers").read_text().splitlines():
            if line.startswith("? "):
                current = answers.setdefault(line[2:], set())
            elif line:
                current.add(line.replace("\\ ", " ").rstrip("/"))
        self.assertEqual(set(questions), set(answers))
        return answers

    def check_each(self, questions_of, check):
        """`check(answer, expected)` of each question and what is expected, in every shell, for every tool."""
        def one(shell, tool):
            expected = dict(questions_of(tool))
            if not expected:
                return
            for question, answer in self.ask(shell, tool, expected).items():
                check(answer, expected[question], f"{shell}: {question}")

        self.each(one, [(shell, tool) for shell in ("bash", "zsh", "fish") for tool in ALL_TOOLS])

    def test_flags_are_those_of_the_table(self):
        def questions(tool):
            for words, command in commands(tool):
                yield f"{words} -", visible_names(command)
                yield f"{words} --", {name for name in visible_names(command) if name.startswith("--")}

        self.check_each(questions, self.expect_equal)

    def expect_equal(self, answer, expected, case):
        self.assertEqual(expected, answer, case)

    def test_subcommands(self):
        def questions(tool):
            names = {command["name"] for command in TABLES[tool]["commands"]} - {""}
            if names:
                yield f"{tool} ", names

        def check(answer, expected, case):
            self.assertLessEqual(expected, answer, case)
            # A tool that takes files without a subcommand offers them beside the subcommands.
            own = {"a picture.png", "a-folder", "fish", "questions", "answers"}
            self.assertLessEqual({word for word in answer - expected if not word.startswith("_")}, own, case)

        self.check_each(questions, check)

    def flags_with(self, tool, test):
        return [(words, flag) for words, command in commands(tool) for flag in command["flags"] if not flag["hidden"] and test(flag)]

    def test_choices(self):
        def questions(tool):
            for words, flag in self.flags_with(tool, lambda flag: flag["choices"]):
                for name in flag["names"]:
                    yield f"{words} {name} ", set(flag["choices"])
                    first = flag["choices"][0]
                    if name.startswith("--"):
                        expected = {choice for choice in flag["choices"] if choice.startswith(first[0])}
                        yield f"{words} {name}={first[0]}", expected

        def check(answer, expected, case):
            self.assertEqual(expected, {word.rsplit("=", 1)[-1] for word in answer}, case)  # fish repeats the flag

        self.check_each(questions, check)

    def test_files(self):
        def questions(tool):
            for words, flag in self.flags_with(tool, lambda flag: "FILE" in (flag["value"] or "").split("|")):
                yield f"{words} {flag['names'][-1]} a", {"a picture.png", "a-folder"}
            for words, command in commands(tool):
                if any(operand["value"] == "FILE" for operand in command["operands"]):
                    yield f"{words} -v a", {"a picture.png", "a-folder"}

        def check(answer, expected, case):
            self.assertLessEqual(expected, answer, case)

        self.check_each(questions, check)

    def test_folders(self):
        def questions(tool):
            for words, flag in self.flags_with(tool, lambda flag: flag["value"] == "DIR"):
                yield f"{words} {flag['names'][-1]} a", {"a-folder"}

        self.check_each(questions, self.expect_equal)

    def test_other_values_are_left_to_the_user(self):
        def questions(tool):
            for words, flag in self.flags_with(tool, lambda flag: flag["value"] in ("N", "TEXT")):
                yield f"{words} {flag['names'][-1]} ", set()

        self.check_each(questions, self.expect_equal)


if __name__ == "__main__":
    harness.main()
