"""The manual pages: what they say is what the tools do, flag for flag and variable for variable, and they render."""
import os
import pathlib
import re
import subprocess

import harness
from harness import ALL_TOOLS, DENOISE, REFUSED, ROOT
from tool_tables import TABLES, commands, visible_names

PAGES = pathlib.Path(os.environ["LCM_PAGES"])
FLAG = re.compile(r"(?<![\w./%-])--?[A-Za-z][\w-]*")
VARIABLE = re.compile(r"\bLCM_[A-Z0-9_]+\b")
READ_VARIABLE = re.compile(r'(?:getenv|setenv|environment)\("([A-Z_]+)"|"(LCM_[A-Z0-9_]+[A-Z0-9])"')
HEADING = re.compile(r"^(?=[A-Z])", re.M)


def render(name):
    """The page as readers see it, on a wide screen; what the formatter has to say about it."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "400"}
    shown = subprocess.run(["man", "--warnings", "-l", str(PAGES / name)], env=environment, capture_output=True, check=True,
                           timeout=harness.TIME_LIMIT)
    return shown.stdout.decode("utf-8"), shown.stderr.decode("utf-8")


def sections(text):
    """Text of each section by its heading."""
    parts = [part.partition("\n") for part in HEADING.split(text)]
    return {heading.strip(): body for heading, _, body in parts}


def literal_blocks(text):
    """Blocks between ``` in the source of a page."""
    return re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)


ALL_NAMES = {name for tool in ALL_TOOLS for _, command in commands(tool) for name in visible_names(command)}
ALL_VARIABLES = {flag["environment"] for tool in ALL_TOOLS for _, command in commands(tool) for flag in command["flags"]
                 if flag["environment"] and not flag["hidden"]}
TOOL_PAGES = [f"{tool}.1" for tool in ALL_TOOLS]
OTHER_PAGES = ["lcm-stream.5", "lcm-environment.7"]


class Rendering(harness.ToolTest):
    def test_the_formatter_has_no_complaint(self):
        def check(name):
            text, complaints = render(name)
            self.assertEqual("", complaints)
            for heading in ("NAME", "DESCRIPTION", "SEE ALSO"):
                self.assertIn(heading, sections(text))
            self.assertEqual([], re.findall(r"@[A-Z]+@|\\|^\.[A-Z]{2}\b|T\{", text, re.M), "markup is left over")

        self.each(check, [(name,) for name in TOOL_PAGES + OTHER_PAGES])

    def test_pages_refer_to_pages_that_are_there(self):
        def check(name):
            named = set(re.findall(r"\b(lcm-\w+)\((\d)\)", (PAGES / name).read_text().replace("\\-", "-").replace("\\fR", "")))
            self.assertEqual([], [page for page in named if not (PAGES / ".".join(page)).exists()])

        self.each(check, [(name,) for name in TOOL_PAGES + OTHER_PAGES])

    def test_a_page_has_a_date_only_where_one_is_given(self):
        roff, source = ROOT / "scripts/docs/roff.py", ROOT / "man/lcm-stream.5.scd"

        def made(**changes):
            made_by = ["python3", "-B", roff, "scdoc", source]
            return subprocess.run(made_by, env=self.environment(changes), capture_output=True, check=True).stdout

        self.assertIn(b'.TH "lcm-stream" "5" ""', made())
        self.assertIn(b'.TH "lcm-stream" "5" "2001-09-09"', made(SOURCE_DATE_EPOCH="1000000000"))


class Flags(harness.ToolTest):
    def test_each_flag_of_the_table_stands_in_the_page(self):
        def check(tool):
            text = render(f"{tool}.1")[0]
            for words, command in commands(tool):
                self.assertEqual(set(), visible_names(command) - set(FLAG.findall(text)), words)
                self.assertIn(words, text)
                for flag in command["flags"]:
                    if not flag["hidden"]:
                        self.assertIn(flag["help"], text)
                        self.assertTrue(all(choice in text for choice in flag["choices"]), flag["names"])
                for operand in command["operands"]:
                    self.assertIn(operand["help"], text)

        self.each(check, [(tool,) for tool in ALL_TOOLS])

    def test_each_flag_in_a_page_stands_in_the_table(self):
        def check(tool):
            parts = sections(render(f"{tool}.1")[0])
            self.assertEqual(set(), set(FLAG.findall(parts.pop("EXAMPLES"))) - ALL_NAMES)
            own = {name for _, command in commands(tool) for name in visible_names(command)}
            self.assertEqual(set(), set(FLAG.findall(" ".join(parts.values()))) - own)

        self.each(check, [(tool,) for tool in ALL_TOOLS])

        def check_other(name):
            self.assertEqual(set(), set(FLAG.findall(render(name)[0])) - ALL_NAMES)

        self.each(check_other, [(name,) for name in OTHER_PAGES])

    def test_examples_are_those_of_help(self):
        def check(tool):
            examples = sections(render(f"{tool}.1")[0])["EXAMPLES"]
            for _, command in commands(tool):
                for line in command["examples"]:
                    self.assertIn(line, examples)

        self.each(check, [(tool,) for tool in ALL_TOOLS])

    def test_exit_statuses(self):
        def check(name):
            text = sections(render(name)[0])["EXIT STATUS"]
            for row in TABLES[DENOISE]["exit_codes"] + TABLES[DENOISE]["signals"]:
                self.assertRegex(text, rf"(?m)^ +{row['code']} {re.escape(row['name'])}\n +{re.escape(row['meaning'])}$")

        self.each(check, [(name,) for name in [*TOOL_PAGES, "lcm-environment.7"]])


class Environment(harness.ToolTest):
    def read_in_code(self):
        """Variables that the code reads or sets by name."""
        text = "".join(path.read_text() for top in ("lib", "tools") for path in (ROOT / top).rglob("*.cc"))
        return {first or second for first, second in READ_VARIABLE.findall(text)}

    def test_each_variable_stands_in_the_page(self):
        text = render("lcm-environment.7")[0]
        named = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", text))
        self.assertEqual(set(), ALL_VARIABLES - named)
        self.assertEqual(set(), self.read_in_code() - named)

    def test_each_variable_in_a_page_is_read(self):
        known = ALL_VARIABLES | self.read_in_code()

        def check(name):
            self.assertEqual(set(), set(VARIABLE.findall(render(name)[0])) - known)

        self.each(check, [(name,) for name in TOOL_PAGES + OTHER_PAGES])

    def test_a_variable_names_its_flag_and_commands(self):
        text = render("lcm-environment.7")[0]
        self.assertRegex(text, r"(?m)^ +LCM_STEPS\n +--steps of .*lcm-denoise")
        self.assertRegex(text, r"(?m)^ +LCM_THREADS\n +--threads of every command\.$")

    def test_the_configuration_of_the_page_is_a_good_one(self):
        config, policy = literal_blocks((ROOT / "man/lcm-environment.7.scd").read_text())
        self.write("lcm.toml", config.encode())
        shown = self.run_ok([DENOISE, "--show-config"]).out.decode()
        self.assertRegex(shown, r"(?m)^steps = .*4.* lcm\.toml")
        self.assertRegex(shown, r"(?m)^threads = .*2.* lcm\.toml")
        self.write("policy.toml", policy.encode())
        environment = {"LCM_POLICY": str(self.path("policy.toml"))}
        self.run_ok([DENOISE, "--show-config", "--limit", "pixels=1MP"], env=environment)
        result = self.run_any([DENOISE, "--limit", "pixels=65MP"], env=environment)
        self.assertEqual(REFUSED, result.code, result)


if __name__ == "__main__":
    harness.main()
