#!/usr/bin/env python3
"""Compares what docker's own client and ours ask of a daemon, print and exit with.

  run.py OURS DOCKER [FILE…]      all files of this folder, and what generated.py makes, when none is named

Prints every difference; exit status 1 if there is one.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import answers  # noqa: E402
import generated  # noqa: E402
from fake_daemon import FakeDaemon  # noqa: E402

# Parts of a daemon on Windows, which no client of a Linux one sends.
WINDOWS = ("CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth")


def cases(path):
    """(arguments, what is not compared), one per line."""
    verb = ["create"] if path.stem == "create" else []
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        without = set()
        if match := re.match(r"((?:-(?:requests|stderr|stdout) )+)\| (.*)$", line):
            without, line = set(re.findall(r"-(\w+)", match[1])), match[2]
        yield verb + shlex.split(line.replace("${DATA}", str(HERE / "data"))), without, line


def normal(body):
    """The body without what docker's client sends in no fixed order."""
    if isinstance(body, dict):
        if body.get("Env"):
            body["Env"].sort()
        for name in WINDOWS:
            body.pop(name, None)
        host = body.get("HostConfig")
        if host:
            for name in WINDOWS:
                host.pop(name, None)
            if host.get("Binds"):
                host["Binds"].sort()
    return body


def outcome(program, arguments):
    with FakeDaemon() as daemon:
        daemon.answers = answers.answers()
        environment = {"PATH": os.environ["PATH"], "HOME": "/root", "DOCKER_HOST": daemon.host,
                       "DOCKER_CONFIG": "/nonexistent"}
        done = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, cwd=HERE / "data", env=environment, timeout=30)
        requests = sorted(f"{r.method} {r.path} {r.query} {json.dumps(normal(r.json()), sort_keys=True)}" for r in daemon.requests)
    # A slip of docker 28's in "Run".
    stderr = done.stderr.replace("\nSRun '", "\nRun '")
    stdout = done.stdout.replace(daemon.host, "HOST")
    if "--help" in arguments or arguments[0] == "help":
        stdout = generated.comparable(stdout, arguments)
    if arguments in (["image"], ["system"]):
        stderr = generated.comparable(stderr, arguments)
    return {"exit status": done.returncode, "stdout": stdout, "stderr": stderr, "requests": requests}


def compare(ours, docker, case):
    arguments, without, line = case
    left, right = outcome(docker, arguments), outcome(ours, arguments)
    return line, [(name, left[name], right[name]) for name in left if name not in without and left[name] != right[name]]


def main():
    ours, docker, *files = sys.argv[1:]
    paths = [HERE / name for name in files] or [HERE / "create.txt", HERE / "commands.txt"]
    with tempfile.TemporaryDirectory() as folder:
        # Messages name the program as it was called.
        link = os.path.join(folder, "docker")
        os.symlink(os.path.abspath(ours), link)
        every = [case for path in paths for case in cases(path)]
        missing = []
        if not files:
            lines, missing = generated.lines(link)
            every += [(shlex.split(line), set(), line) for line in lines]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda case: compare(link, docker, case), every))
    different = [(line, found) for line, found in results if found]
    for line, found in different:
        print(line)
        for name, theirs, mine in found:
            print(f"    {name}\n      docker: {theirs!r}\n      ours:   {mine!r}")
    for command in missing:
        print(f"missing: {command}")
    print(f"{len(every)} command lines, {len(different)} differ, {len(missing)} commands are missing")
    return 1 if different or missing else 0


if __name__ == "__main__":
    sys.exit(main())
