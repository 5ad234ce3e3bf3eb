"""Runs the cases: one line each, then a summary. A case that fails unexpectedly and one that passes although
known.txt has it both make the run red."""
import faulthandler
import importlib
import os
import pathlib
import sys
import time

import harness

SUBJECTS = ["runtime_process", "mount_paths", "kernel_interfaces", "bad_input"]


def expected_failures(path):
    rows = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, reason = line.split(None, 1)
            rows[name] = reason
    return rows


def main():
    here = pathlib.Path(__file__).parent
    work, wanted = sys.argv[1], sys.argv[2:]
    for subject in SUBJECTS:
        if (here / f"cases_{subject}.py").exists():
            importlib.import_module(f"cases_{subject}")
    known = expected_failures(here / "known.txt")
    host = harness.Host(work)
    passed, red, expected, start = 0, [], [], time.monotonic()
    try:
        for case in harness.CASES:
            if wanted and not any(word in case.name for word in wanted):
                continue
            begun = time.monotonic()
            faulthandler.dump_traceback_later(30)  # a case that hangs says where
            problem = host.judge(case)
            faulthandler.cancel_dump_traceback_later()
            took = time.monotonic() - begun
            if problem is None and case.name not in known:
                passed += 1
                print(f"ok   {case.name} ({took:.1f} s)", flush=True)
            elif problem is not None and case.name in known:
                expected.append(case.name)
                print(f"known {case.name} ({took:.1f} s): {known[case.name]}", flush=True)
            else:
                red.append(case.name)
                print(f"FAIL {case.name} ({took:.1f} s): {problem or 'passes, but known.txt expects a failure'}", flush=True)
    finally:
        host.close()
    print(f"{passed} passed, {len(expected)} failed as known, {len(red)} failed, {time.monotonic() - start:.0f} s")
    return 1 if red else 0


if __name__ == "__main__":
    # The first process of its PID namespace: it reaps what the containers leave, as a host's does.
    tests = os.fork()
    if tests == 0:
        sys.exit(main())
    while True:
        pid, status = os.wait()
        if pid == tests:
            sys.exit(os.waitstatus_to_exitcode(status))
