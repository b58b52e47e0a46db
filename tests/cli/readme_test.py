"""Every recipe of the README runs as it is printed: in an empty folder, with the tools on the path, and leaves the files it names."""
import re
import subprocess

import harness

HEADING = "## Recipes"
OUTPUT = re.compile(r"(?<!\S)(?:-o|--output|>)[ =]?'?([^\s';|]+)'?")


def recipes():
    """(title, commands) of each `###` heading with its ```sh block under "## Recipes"."""
    text = (harness.ROOT / "README.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", text.split(f"\n{HEADING}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    found = []
    for part in re.split(r"^### ", section, flags=re.M)[1:]:
        title = part.split("\n", 1)[0]
        found += [(title, block) for block in re.findall(r"^```sh\n(.*?)^```$", part, re.M | re.S)]
    return found


def outputs(commands):
    """Names after -o, --output and > in the commands, less those with shell variables; a pattern stands for its first file."""
    names = {name for name in OUTPUT.findall(commands) if "$" not in name} - {"-", "/dev/null"}
    return {re.sub(r"%0?(\d*)d", lambda number: "0".zfill(int(number[1] or 0)), name).rstrip("/") for name in names}


class Recipes(harness.ToolTest):
    def test_every_heading_has_one_recipe(self):
        titles = [title for title, _ in recipes()]
        self.assertGreater(len(titles), 0)
        self.assertEqual(sorted(set(titles)), sorted(titles))

    def test_every_recipe_works(self):
        def check(title, commands):
            folder = self.path(re.sub(r"\W+", "-", title))
            folder.mkdir()
            ended = subprocess.run(["bash", "-euc", commands], cwd=folder, env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=harness.TIME_LIMIT)
            self.assertEqual(0, ended.returncode, ended.stdout.decode("utf-8", "replace"))
            for name in outputs(commands):
                self.assertTrue((folder / name).exists(), f"{name} is not there, but {sorted(path.name for path in folder.iterdir())}")

        self.each(check, [(title, commands) for title, commands in recipes() if harness.multiplies_bytes() or "int8" not in commands])


class Reading(harness.ToolTest):
    def test_names_of_outputs(self):
        commands = "lcm-encode text x -o a.lcms\nlcm-denoise a.lcms | lcm-render -o 'x-%04d.png'\n"
        commands += "lcm-render --info x > info.txt; true -o y%d.jpg -o $z.png"
        self.assertEqual({"a.lcms", "x-0000.png", "info.txt", "y0.jpg"}, outputs(commands))


if __name__ == "__main__":
    harness.main()
