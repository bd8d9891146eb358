"""Hold a checker's verdict on the OpenAPI document against tests/openapi_pending.txt, a list that only shrinks.

usage: openapi_pending.py CHECKER OPENAPI_FILE
exit:  1 where an operation that is not listed fails, or a listed one passes already
"""

import re
import subprocess
import sys
from pathlib import Path

LISTED = Path(__file__).resolve().parent.parent / "tests/openapi_pending.txt"
COMPLAINT = re.compile(r"^((?:GET|POST) /\S+): (.*)$", re.MULTILINE)


def main(checker: str, document: str) -> int:
    checked = subprocess.run([sys.executable, checker, document], capture_output=True, text=True, check=False)
    if checked.returncode not in (0, 1):
        print(checked.stdout, checked.stderr)
        return 1
    pending = {line.strip() for line in LISTED.read_text().splitlines() if line.strip() and not line.startswith("#")}
    complaints = COMPLAINT.findall(checked.stdout)
    failing = {operation for operation, _ in complaints}
    for operation, why in complaints:
        if operation not in pending:
            print(f"OpenAPI: {operation}: {why}")
    for operation in sorted(pending - failing):
        print(f"OpenAPI: {operation} is done: take it off {LISTED.name}")
    print(f"OpenAPI: {checked.stdout.strip().splitlines()[-1]}; {len(pending)} are listed as still to come.")
    return int(bool(failing ^ pending))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
