"""Adds up the cases of all test programs of a Meson run and prints 'N passed, N failed'.

A program is counted by its own summary (doctest, unittest, or a line 'N passed, N failed'); one that crashed or printed none counts
as one failed case.
"""
import json
import re
import sys

DOCTEST = re.compile(r"test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")
UNITTEST = re.compile(r"^Ran (\d+) tests? in", re.M)
UNITTEST_FAILED = re.compile(r"^FAILED \((.*)\)", re.M)
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def count(entry):
    """(passed, failed) of one test program."""
    text = entry.get("stdout", "") + entry.get("stderr", "")
    passed = failed = 0
    if match := DOCTEST.search(text):
        passed, failed = int(match[2]), int(match[3])
    elif match := UNITTEST.search(text):
        if bad := UNITTEST_FAILED.search(text):
            failed = sum(int(number) for number in re.findall(r"(?:failures|errors|unexpected successes)=(\d+)", bad[1]))
        passed = int(match[1]) - failed
    elif match := PLAIN.search(text):
        passed, failed = int(match[1]), int(match[2])
    if entry["result"] not in ("OK", "EXPECTEDFAIL") and failed == 0:
        failed = 1
    if entry["result"] == "OK" and passed == 0:
        print(f"{entry['name']} ran no test", file=sys.stderr)
        failed += 1
    return passed, failed


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        totals = [count(json.loads(line)) for line in log]
    passed, failed = (sum(column) for column in zip(*totals)) if totals else (0, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
