"""roff.py SCDOC SOURCE: prints the manual page that scdoc makes of SOURCE.

Three changes: no date, unless SOURCE_DATE_EPOCH gives one, so that the same source is the same page on every day; every hyphen is one
that can be copied into a shell; and no word is split at a line's end, which the title macro would allow again.
"""
import os
import re
import subprocess
import sys

TITLE = re.compile(r"^\.TH .*$", re.M)
DATE = re.compile(r'^(\.TH (?:"[^"]*" ){2})"[^"]*"', re.M)
TEXT_LINE = re.compile(r"^(?!\.).*", re.M)
TEXT_HYPHEN = re.compile(r"(?<!\\h')-")  # not that of a motion to the left


def page(scdoc, source):
    with open(source, encoding="utf-8") as file:
        made = subprocess.run([scdoc], stdin=file, stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")
    if "SOURCE_DATE_EPOCH" not in os.environ:
        made = DATE.sub(r'\1""', made)
    made = TITLE.sub(lambda line: line[0] + "\n.nh\n.ad l", made)
    return TEXT_LINE.sub(lambda line: TEXT_HYPHEN.sub(r"\\-", line[0]), made)


if __name__ == "__main__":
    sys.stdout.buffer.write(page(sys.argv[1], sys.argv[2]).encode("utf-8"))
