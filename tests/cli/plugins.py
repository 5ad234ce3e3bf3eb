#!/usr/bin/env python3
"""docker's client plugins: found, listed, refused, run.

  plugins.py CAISSON
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

CLIENT = os.path.abspath(sys.argv[1])

GOOD = """#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion": "0.1.0", "Vendor": "Me", "Version": "v1.2", "ShortDescription": "Says hello"}'
  exit 0
fi
case "$*" in
  *status*) exit 7 ;;
  *signal*) kill -9 $$ ;;
  *wait*) trap 'echo terminated; exit 3' TERM; echo ready; while :; do sleep 0.1; done ;;
esac
echo "args: $*"
echo "program: $DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND host: $DOCKER_HOST"
cat
"""


class Folder:
    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = self.directory.name

    def __enter__(self):
        self.add("hello", GOOD)
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def add(self, name, script, under="cli-plugins", mode=0o755):
        folder = pathlib.Path(self.path) / under
        folder.mkdir(exist_ok=True)
        (folder / f"docker-{name}").write_text(script)
        (folder / f"docker-{name}").chmod(mode)

    def run(self, *words, **variables):
        return subprocess.run([CLIENT, *words], capture_output=True, text=True, input="stdin\n", timeout=60,
                              env={"PATH": os.environ["PATH"], "DOCKER_CONFIG": self.path, **variables})


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def test_it_gets_the_whole_command_line():
    with Folder() as folder:
        done = folder.run("-D", "-H", "unix:///x", "hello", "a", "--b", "-c")
        expect(done.returncode == 0, done)
        expect(done.stdout == "args: -D -H unix:///x hello a --b -c\nprogram: caisson host: \nstdin\n", done)
        expect(folder.run("hello", "--help").stdout.startswith("args: hello --help\n"), "--help")
        expect(folder.run("help", "hello").stdout.startswith("args: help hello\n"), "help")


def test_it_knows_where_the_daemon_is():
    with Folder() as folder:
        expect("host: unix:///run/caisson/caissond.sock" in folder.run("hello").stdout, "the default")
        expect("host: unix:///y" in folder.run("hello", DOCKER_HOST="unix:///y").stdout, "the user's")


def test_exit_statuses():
    with Folder() as folder:
        expect(folder.run("hello", "status").returncode == 7, "a status")
        expect(folder.run("hello", "signal").returncode == 137, "a signal")


def test_signals_reach_it():
    with Folder() as folder:
        process = subprocess.Popen([CLIENT, "hello", "wait"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   env={"PATH": os.environ["PATH"], "DOCKER_CONFIG": folder.path}, text=True)
        expect(process.stdout.readline() == "ready\n", "it does not run")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        expect((process.returncode, out) == (3, "terminated\n"), (process.returncode, out))


def test_help_lists_them():
    with Folder() as folder:
        folder.add("old", '#!/bin/sh\necho \'{"SchemaVersion": "9", "Vendor": "V"}\'\n')
        folder.add("broken", "#!/bin/sh\nexit 3\n")
        folder.add("nojson", "#!/bin/sh\necho {\n")
        folder.add("novendor", '#!/bin/sh\necho \'{"SchemaVersion": "0.1.0"}\'\n')
        folder.add("noexec", GOOD, mode=0o644)
        folder.add("Bad_name", GOOD)
        folder.add("ps", GOOD)
        page = folder.run("--help").stdout
        expect("  hello*      Says hello\n" in page, page)
        invalid = page.partition("Invalid Plugins:\n")[2].partition("\n\n")[0]
        for line in ('plugin SchemaVersion "9" is not valid, must be 0.1.0', "failed to fetch metadata: exit status 3",
                     "invalid metadata: ", "plugin metadata does not define a vendor", "permission denied",
                     'plugin candidate "Bad_name" did not match "^[a-z][a-z0-9]*$"',
                     'plugin "ps" duplicates builtin command'):
            expect(line in invalid, (line, invalid))
        for name in ("old", "broken", "nojson", "novendor", "noexec", "nothing", "Bad_name", "../hello"):
            done = folder.run(name)
            expect(done.returncode == 1 and f"unknown command: caisson {name}" in done.stderr, (name, done))
        expect("args:" not in folder.run("ps").stdout, "a command of the client was replaced")


def test_other_folders():
    with Folder() as folder:
        folder.add("more", GOOD, under="elsewhere")
        expect(folder.run("more").returncode == 1, "not known yet")
        config = {"cliPluginsExtraDirs": [f"{folder.path}/nowhere", f"{folder.path}/elsewhere"]}
        (pathlib.Path(folder.path) / "config.json").write_text(json.dumps(config))
        expect(folder.run("more").returncode == 0, "cliPluginsExtraDirs")


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            print("passed", name)
        except Exception as error:  # noqa: BLE001: all tests are to run
            failed += 1
            print("FAILED", name, type(error).__name__, error)
    sys.exit(1 if failed else 0)


main()
