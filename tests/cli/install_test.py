"""An installation stands on its own: the tools run from another folder, with the installed model and libtorch."""
import os
import pathlib
import subprocess
import unittest

import harness

BUILD = os.environ["LCM_BUILD"]
BIN_FOLDER, LIBEXEC_FOLDER = os.environ["LCM_BIN_FOLDER"], os.environ["LCM_LIBEXEC_FOLDER"]
STAYING_LIBTORCH = os.environ["LCM_STAYING_LIBTORCH"]  # a libtorch that is not copied; empty where one is
HAS_PAGES = os.environ["LCM_HAS_PAGES"] == "true"


class Install(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.stage = pathlib.Path(self.folder) / "stage"
        install = ["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", str(self.stage)]
        subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)

    def staged(self, folder):
        return str(self.stage) + folder

    def test_pipe_from_the_installation(self):
        environment = dict(os.environ, PATH=self.staged(BIN_FOLDER) + ":" + os.environ["PATH"])
        pipe = "lcm-encode text 'a red apple' | lcm-denoise | lcm-render -o apple.png && lcm-render --info apple.png"
        run = subprocess.run(["sh", "-c", pipe], cwd=self.folder, env=environment, capture_output=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        self.assertIn(b"Model: emoji-128", run.stdout)

        program = self.staged(LIBEXEC_FOLDER) + "/lcm/lcm-denoise"
        loaded = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True, text=True).stdout
        libtorch = next(line.split("=>")[1].split()[0] for line in loaded.splitlines() if "libtorch_cpu.so" in line)
        self.assertTrue(os.path.realpath(libtorch).startswith(STAYING_LIBTORCH or os.path.realpath(self.stage)), libtorch)

    def test_completions_and_manual_pages(self):
        names = {path.name for path in self.stage.rglob("*") if path.is_file() and "share" in path.parts}
        for tool in harness.ALL_TOOLS:
            self.assertLessEqual({tool, f"_{tool}", f"{tool}.fish"}, names)
        if HAS_PAGES:
            self.assertLessEqual({f"{tool}.1" for tool in harness.ALL_TOOLS} | {"lcm-stream.5", "lcm-environment.7"}, names)


if __name__ == "__main__":
    unittest.main()
