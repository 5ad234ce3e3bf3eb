#!/usr/bin/env python3
"""Runs the sequences of contexts.txt with docker's own client and with ours, each in a configuration folder of its
own, and compares what they print, exit with and leave on the disk.

  contexts.py OURS DOCKER
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DEFAULTS = ("unix:///var/run/docker.sock", "unix:///run/caisson/caissond.sock")


def sequences():
    lines = [line for line in (HERE / "contexts.txt").read_text().splitlines() if not line.startswith("#")]
    return [block.splitlines() for block in "\n".join(lines).split("\n\n")]


class Client:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def plain(self, text):
        text = text.replace(self.folder, "CONFIG")
        for host in DEFAULTS:
            text = text.replace(host, "HOST")
        # A table is as wide as its texts.
        return "\n".join(" ".join(line.split()) for line in text.splitlines())

    def run(self, line):
        words = shlex.split(line.replace("${DATA}", str(HERE / "data")))
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_CONFIG": self.folder}
        while words[0].startswith("$"):
            name, _, value = words.pop(0)[1:].partition("=")
            environment[name] = value
        done = subprocess.run([self.program, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              cwd=self.folder, env=environment, timeout=60)
        return done.returncode, self.plain(done.stdout), self.plain(done.stderr)

    def tree(self):
        """Path → mode and contents; of JSON what it means."""
        found = {}
        for path in sorted(pathlib.Path(self.folder).rglob("*")):
            name = str(path.relative_to(self.folder))
            # docker leaves an empty archive of a context that is not there.
            if name.endswith(".lock") or name == "nope.dockercontext":
                continue
            mode = oct(path.stat().st_mode & 0o777)
            contents = "" if path.is_dir() else path.read_bytes().decode("latin-1")
            if name.endswith(".json"):
                contents = json.loads(self.plain(contents))
                if contents.get("auths") == {}:
                    del contents["auths"]
            elif name.endswith((".tar", ".dockercontext")):
                listing = subprocess.run(["tar", "tvf", path], capture_output=True, text=True).stdout
                contents = [line.split() for line in listing.splitlines()]
                # The host of the default one has another length.
                contents = [[*line[:2], *line[3:]] if line[-1] == "meta.json" else line for line in contents]
            # docker makes the folder of certificates although there are none.
            if not (path.is_dir() and not any(path.iterdir())):
                found[name] = [mode, contents]
        return found


def main():
    ours, docker = sys.argv[1:]
    count = different = 0
    with tempfile.TemporaryDirectory() as links:
        link = os.path.join(links, "docker")
        os.symlink(os.path.abspath(ours), link)
        for sequence in sequences():
            with tempfile.TemporaryDirectory() as left, tempfile.TemporaryDirectory() as right:
                clients = Client(docker, left), Client(link, right)
                for line in sequence:
                    count += 1
                    theirs, mine = (client.run(line) for client in clients)
                    if theirs != mine:
                        different += 1
                        print(f"{line}\n  docker: {theirs}\n  ours:   {mine}")
                theirs, mine = (client.tree() for client in clients)
                if theirs != mine:
                    different += 1
                    print(f"files after {sequence[-1]}\n  docker: {theirs}\n  ours:   {mine}")
    print(f"{count} command lines, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
