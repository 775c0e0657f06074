#!/usr/bin/env python3
"""Random hostile words in a comment, rendered by GitHub's own Markdown parser:
outside code there may be no markup and nothing that a forge would look up.

    escape_check.py ESCAPE_LINES [SEED]      exit 77: cmark-gfm is not installed
"""
import html
import random
import re
import shutil
import subprocess
import sys

ATOMS = [
    "@all", "@a/b", "#1", "!2", "~x", "%3", "$4", "&5", "^6", "`", "``", "```",
    "````", "\\", "\\`", "*", "**", "_", "__", "[x](http://e.example)", "<b>",
    "<!--", "-->", "</details>", "<script>", "http://e.example",
    "www.e.example", "a@b.example", "|", "---", "===", "- ", "+ ", "1.", "> ",
    ":tada:", "GH-1", "/close", "word", "port", "22", "10.0.0.0/8", "fd00::1",
    "\u00e9", "\u202e", "&#64;all", "&commat;all", "~~", "==", "{{", "$`x`$",
    "\t", "  ", "(", ")", "'", '"', "!", "![i](x)", "::error::", "##[error]",
]
PLAIN = {"<ul>", "</ul>", "<li>", "</li>", "<strong>", "</strong>", "<p>",
         "</p>", "<br />"}
LINES = 5000

if not shutil.which("cmark-gfm"):
    print("SKIPPED: cmark-gfm is not installed")
    sys.exit(77)
random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
lines = ["".join(random.choice(ATOMS) + random.choice(["", " ", ""])
                 for _ in range(random.randint(1, 14))) for _ in range(LINES)]
shown = subprocess.run([sys.argv[1]], input="\n".join(lines) + "\n", text=True,
                       stdout=subprocess.PIPE, check=True).stdout
items = re.split(r"(?m)^(?=- \*\*deny\*\* )", shown)[1:]
rendered = subprocess.run(
    ["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e",
     "strikethrough", "-e", "tasklist"],
    input="\n\n<!-- NEXT -->\n\n".join(items), text=True,
    stdout=subprocess.PIPE, check=True).stdout.split("<!-- NEXT -->")
if not len(lines) == len(items) == len(rendered):
    sys.exit(f"FAILED: {len(lines)} lines, {len(items)} items, "
             f"{len(rendered)} rendered")
for line, page in zip(lines, rendered):
    rest = re.sub(r"<code>.*?</code>", "", page, flags=re.S)
    tags = set(re.findall(r"<[^>]*>", rest)) - PLAIN
    text = html.unescape(re.sub(r"<[^>]*>", "", rest))
    if tags or re.search(r"[@#!~$%&^|\\]|www\.|https?:|GH-\d", text) or \
            re.search(r"(?m)^\s*/", text):
        sys.exit(f"FAILED: {line!r}\n{page}\n{tags}")
print(len(lines), "lines are data")
