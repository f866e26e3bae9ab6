#!/usr/bin/env python3
"""Compares the instruction counts of `benches/instructions.rs` with the record in `benches/instructions.json`.

    benches/check-instructions.py            fails when a count has grown by more than 3 %
    benches/check-instructions.py --record   writes the counts of this run as the new record

It needs valgrind and gungraun-runner, of the version of the gungraun in Cargo.lock. Valgrind knows no AVX-512: the
counts are those of the AVX2 kernels, so a machine without AVX2 has others. The compiler's version is recorded too,
because another compiler gives other counts.
"""

import json
import subprocess
import sys
from pathlib import Path

LIMIT = 1.03
RECORD = Path(__file__).with_name("instructions.json")


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=RECORD.parent.parent).stdout


def measure():
    lines = output("cargo", "bench", "--bench", "instructions", "--", "--output-format=json", "--nosummary=yes")
    counts = {}
    for line in lines.splitlines():
        bench = json.loads(line)
        metrics = bench["profiles"][0]["data"]["total"]["metrics"]
        counts[f"{bench['function_name']} {bench['id']}"] = metrics["Ir"]["values"]["new"]
    return {"compiler": output("rustc", "--version").strip(), "instructions": counts}


def main():
    measured = measure()
    if sys.argv[1:] == ["--record"]:
        RECORD.write_text(json.dumps(measured, indent=2) + "\n")
        return 0
    record = json.loads(RECORD.read_text())
    if record["compiler"] != measured["compiler"]:
        print(f"recorded with {record['compiler']}, measured with {measured['compiler']}")
    failed = False
    for name in sorted(record["instructions"].keys() | measured["instructions"].keys()):
        before, now = record["instructions"].get(name), measured["instructions"].get(name)
        if before is None or now is None:
            verdict = "not in the record" if before is None else "recorded, but not measured"
        elif now > before * LIMIT:
            verdict = f"grew by {now / before - 1:.1%}"
        else:
            print(f"{name:32} {before:>10} -> {now:>10}")
            continue
        failed = True
        print(f"{name:32} {before!s:>10} -> {now!s:>10}  {verdict}")
    if failed:
        print(f"the limit is {LIMIT - 1:.0%}; after a change that is worth it, run {sys.argv[0]} --record")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
