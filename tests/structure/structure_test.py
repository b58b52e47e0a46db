"""The shape of the source: layers point one way, files and functions stay short, public declarations are described."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(os.environ["LCM_SOURCE_ROOT"])

# Low to high; folders in one row are neighbours and do not see each other. A file includes its own folder and lower rows.
LAYERS = (
    ("lib/base",),
    ("lib/stream", "lib/image"),
    ("lib/core/tensor",),
    ("lib/core/nn",),
    ("lib/core/weights",),
    ("lib/core/model",),
    ("lib/core/adapter",),
    ("lib/core/bundle",),
    ("lib/input", "lib/sampling", "lib/metrics"),
    ("lib/optimize", "lib/style", "lib/render"),
    ("lib/pipeline",),
    ("lib/cli",),
    ("tools",),
    ("tests",),
)
TORCH_FREE = ("lib/base", "lib/stream", "lib/image", "lib/metrics")
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/|^opencv")
SLOW_HEADERS = ("torch/torch.h", "torch/all.h", "torch/extension.h")  # seconds of every compilation
SLOW_IN_HEADERS = (*SLOW_HEADERS, "ATen/ATen.h", "ATen/Functions.h")
CLI_PARSER = ("lib/cli", "tools")  # the only folders that compile the command-line parser

TEXT = (".h", ".cc", ".py", ".sh", "")
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE = 500, 80, 140
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def tracked():
    """Files that belong to the project, by git; else those that lie in its source folders."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path for top in ("lib", "tools", "tests", "scripts") for path in (ROOT / top).rglob("*")]
    return sorted(path for path in paths if path.is_file())


def relative(path):
    return path.relative_to(ROOT).as_posix()


def sources(*tops, suffixes=(".h", ".cc")):
    """Files below these folders; what ships as a model is no source."""
    folders = tuple(f"{top}/" for top in tops)
    return [path for path in tracked()
            if path.suffix in suffixes and relative(path).startswith(folders) and not relative(path).startswith("lib/models/")]


def includes(path):
    """(line, quoted, name) of each include."""
    text = path.read_text()
    return [(text.count("\n", 0, match.start(2)) + 1, match[1] == '"', match[2]) for match in INCLUDE.finditer(text)]


def layer(name):
    """(row, folder) of a file name from the root."""
    for row, folders in enumerate(LAYERS):
        for folder in folders:
            if name.startswith(folder + "/"):
                return row, folder
    return None


class Includes(unittest.TestCase):
    def test_layers_point_one_way(self):
        wrong, seen = [], 0
        for path in sources("lib", "tools"):
            home = layer(relative(path))
            self.assertIsNotNone(home, f"{relative(path)} lies in no layer")
            for line, quoted, name in includes(path):
                if not quoted:
                    continue
                seen += 1
                there = layer(name)
                if there is None or not (there == home or there[0] < home[0]):
                    wrong.append(f"{relative(path)}:{line} includes {name}")
        self.assertEqual([], wrong)
        self.assertGreater(seen, 100)

    def test_own_headers_are_named_from_the_root(self):
        missing = [f"{relative(path)}:{line} includes {name}" for path in sources("lib", "tools", "tests")
                   for line, quoted, name in includes(path) if quoted and not (ROOT / name).is_file()]
        self.assertEqual([], missing)

    def test_low_layers_know_no_tensor_library(self):
        wrong = [f"{relative(path)}:{line} includes {name}" for path in sources(*TORCH_FREE)
                 for line, _, name in includes(path) if TORCH.search(name)]
        self.assertEqual([], wrong)

    def test_no_slow_header(self):
        wrong = []
        for path in sources("lib", "tools", "tests"):
            slow = SLOW_IN_HEADERS if path.suffix == ".h" else SLOW_HEADERS
            wrong += [f"{relative(path)}:{line} includes {name}" for line, _, name in includes(path) if name in slow]
        self.assertEqual([], wrong)

    def test_the_command_line_parser_stays_on_top(self):
        wrong = [f"{relative(path)}:{line} includes {name}" for path in sources("lib", "tools")
                 for line, _, name in includes(path) if name.startswith("CLI/") and not relative(path).startswith(CLI_PARSER)]
        self.assertEqual([], wrong)


class Sizes(unittest.TestCase):
    def test_files(self):
        long = [f"{relative(path)}: {count} lines" for path in sources("lib", "tools", "tests", "scripts", suffixes=TEXT)
                if (count := len(path.read_text(errors="replace").splitlines())) > LONGEST_FILE]
        self.assertEqual([], long)

    def test_lines(self):
        wide = [f"{relative(path)}:{number}" for path in sources("lib", "tools", "tests", "scripts", suffixes=TEXT)
                for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > LONGEST_LINE]
        self.assertEqual([], wide)

    def test_functions(self):
        ctags = shutil.which("ctags")
        self.assertIsNotNone(ctags, "ctags is missing: install universal-ctags")
        files = [str(path) for path in sources("lib", "tools", "tests")]
        arguments = ["--output-format=json", "--fields=+ne", "--kinds-C++=f", "--languages=C++", "--langmap=C++:.cc.h", "-f", "-"]
        listed = subprocess.run([ctags, *arguments, *files], capture_output=True, text=True)
        self.assertEqual(0, listed.returncode, "this needs universal-ctags with JSON output: " + listed.stderr)
        functions = [json.loads(line) for line in listed.stdout.splitlines()]
        self.assertGreater(len(functions), 500)
        long = [f"{tag['path']}:{tag['line']} {tag['name']}: {length} lines" for tag in functions
                if "end" in tag and (length := tag["end"] - tag["line"] + 1) > LONGEST_FUNCTION]
        self.assertEqual([], long)


def declarations(text):
    """(line, code, described) of each declaration at namespace level; `described` when a `///` line stands right before it."""
    found, depth, start, pending, described, last_comment_end = [], 0, None, "", False, -1
    namespaces = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("///"):
            last_comment_end = number
            continue
        code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'', '""', line.split("//")[0])
        if not code.strip() or code.lstrip().startswith("#"):
            continue
        at_namespace = depth == len(namespaces)
        if at_namespace and re.match(r"\s*(inline\s+)?namespace\b.*\{", code):
            namespaces.append(depth)
            depth += 1
            continue
        if at_namespace and start is None and stripped not in ("}", "};"):
            start, pending, described = number, "", last_comment_end == number - 1
        if start is not None:
            pending += code
        depth += code.count("{") - code.count("}")
        if namespaces and depth < len(namespaces):
            namespaces.pop()
            start = None
        elif start is not None and depth == len(namespaces) and pending.rstrip().endswith((";", "}")):
            found.append((start, " ".join(pending.split()), described))
            start = None
    return found


FORWARD = re.compile(r"^(template <[^>]*> )?(class|struct|enum class) \w+;$")
TYPE = re.compile(r"^(template <.*> )?(class|struct|enum class|enum) (?!\w+;)")
FUNCTION = re.compile(r"^[\w:<>,&*\[\]\s.()=]*\([^;]*\)[^;]*(;|\})$")


class Descriptions(unittest.TestCase):
    """A type or free function in a header stands behind `///`, or directly behind another of its group (no blank line between)."""

    def undescribed(self, text):
        lines = text.splitlines()
        covered_end, wrong = -1, []
        for start, code, described in declarations(text):
            function = FUNCTION.match(code) and not code.startswith(("using ", "inline constexpr", "constexpr ", "extern "))
            kind = TYPE.match(code) or function
            group = covered_end >= 0 and all(line.strip() for line in lines[covered_end:start - 1])
            if kind and not FORWARD.match(code) and not (described or group):
                wrong.append(start)
            covered_end = start if described or group else -1
        return wrong

    def test_every_public_declaration_says_what_it_is(self):
        missing = []
        headers = sources("lib", suffixes=(".h",))
        self.assertGreater(len(headers), 50)
        for path in headers:
            missing += [f"{relative(path)}:{line}" for line in self.undescribed(path.read_text())]
        self.assertEqual([], missing)

    def test_the_rule_itself(self):
        good = ("namespace lcm {\nclass Later;\n\n/// One.\nint one();\nint two();\n\n"
                "/// A type.\nstruct Type {\n    int x;\n\n    int f();\n};\n}  // namespace lcm\n")
        self.assertEqual([], self.undescribed(good))
        self.assertEqual([5, 6], self.undescribed(good.replace("/// One.", "// One.")))
        self.assertEqual([9], self.undescribed(good.replace("/// A type.", "")))
        self.assertEqual([7], self.undescribed(good.replace("int two", "\nint two")))


class Kernels(unittest.TestCase):
    def shareable(self, library):
        """Functions of which the linker keeps one, whoever compiled it; thread-safe statics are guarded by such objects too."""
        listed = subprocess.run(["nm", "--demangle", "--defined-only", library], capture_output=True, check=True, text=True).stdout
        return [f"{library.name}: {line}" for line in listed.splitlines() if re.search(r" [WVu] ", line)]

    def test_a_lesser_cpu_never_runs_what_was_compiled_for_a_greater_one(self):
        folder = pathlib.Path(os.environ["LCM_TOOLS"]).parent / "lib/core/nn/kernels"
        libraries = sorted(folder.glob("*.a"))
        self.assertIn("liblcm-kernels-baseline.a", [library.name for library in libraries])
        self.assertEqual([], [found for library in libraries if "baseline" not in library.name for found in self.shareable(library)])


class Words(unittest.TestCase):
    # Spelt in pieces, so that this file does not match itself.
    UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "H" + "ACK")) + r")\b")
    MACHINE = re.compile(r"(?<![\w.~-])/(work|root|home/\w+|tmp/w|Users/\w+)/")

    def texts(self):
        for path in tracked():
            if "lib/models/" in relative(path) or "testdata/" in relative(path):
                continue
            try:
                yield relative(path), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue

    def lines_with(self, pattern):
        return [f"{name}:{number}: {line.strip()[:100]}" for name, text in self.texts()
                for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]

    def test_nothing_is_left_unfinished(self):
        self.assertEqual([], self.lines_with(self.UNFINISHED))

    def test_no_path_of_one_machine(self):
        self.assertEqual([], self.lines_with(self.MACHINE))


if __name__ == "__main__":
    unittest.main()
