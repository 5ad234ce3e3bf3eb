#!/usr/bin/env python3
"""Completion as a user gets it: bash, zsh and fish with our scripts, against a daemon that only listens.

  completion.py CAISSON
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pexpect

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_daemon import FakeDaemon  # noqa: E402

CLIENT = os.path.abspath(sys.argv[1])


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def answers(daemon):
    def container(name, state):
        return {"Id": "c" * 64, "Names": [f"/{name}"], "Image": "busybox", "State": state}
    daemon.answers["GET /containers/json"] = (200, [container("web", "running"), container("worker", "exited"),
                                                    container("frozen", "paused")])
    daemon.answers["GET /images/json"] = (200, [{"Id": "sha256:" + "b" * 64,
                                                 "RepoTags": ["busybox:latest", "localhost:5000/team/app:1"]}])
    daemon.answers["GET /networks"] = (200, [{"Name": "bridge", "Driver": "bridge"}, {"Name": "back-end", "Driver": "bridge"}])
    daemon.answers["GET /volumes"] = (200, {"Volumes": [{"Name": "data", "Driver": "local"}]})
    return daemon


class World:
    """The client in a PATH of its own, and a daemon."""

    def __enter__(self):
        self.daemon = answers(FakeDaemon())
        self.daemon.start()
        self.folder = tempfile.mkdtemp(prefix="cli-completion-")
        os.symlink(CLIENT, f"{self.folder}/caisson")
        self.env = {"PATH": f"{self.folder}:/usr/bin:/bin", "HOME": self.folder, "DOCKER_HOST": self.daemon.host,
                    "DOCKER_CONFIG": f"{self.folder}/config", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        pathlib.Path(self.folder, "some-file").write_text("")
        return self

    def __exit__(self, *_):
        self.daemon.die()
        self.daemon.directory.cleanup()
        shutil.rmtree(self.folder)

    def ask(self, *words, command="__complete", **variables):
        done = subprocess.run([CLIENT, command, *words], capture_output=True, text=True, env={**self.env, **variables},
                              timeout=60)
        *lines, directive = done.stdout.splitlines()
        return [line.split("\t")[0] for line in lines], directive


# Words → candidates and directive.
ASKED = [
    (["st"], ["start", "stats", "stop"], ":4"),
    (["container", "pru"], ["prune"], ":4"),
    (["network", ""], ["connect", "create", "disconnect", "inspect", "ls", "prune", "rm"], ":4"),
    (["rm", ""], ["web", "worker", "frozen"], ":4"),
    (["rm", "w"], ["web", "worker"], ":4"),
    (["rm", "web", "w"], ["worker"], ":4"),
    (["rm", "-f", "w"], ["web", "worker"], ":4"),
    (["start", ""], ["worker"], ":4"),
    (["stop", ""], ["web", "frozen"], ":4"),
    (["unpause", ""], ["frozen"], ":4"),
    (["exec", ""], ["web", "frozen"], ":4"),
    (["exec", "web", ""], [], ":0"),
    (["exec", "web", "ls", "-"], [], ":0"),
    (["run", "b"], ["busybox:latest"], ":4"),
    (["run", "localhost:5000/"], ["localhost:5000/team/app:1"], ":4"),
    (["run", "--network", "b"], ["bridge", "back-end"], ":4"),
    (["run", "--network=b"], ["--network=bridge", "--network=back-end"], ":4"),
    (["run", "-it", "--restart", ""], ["always", "no", "on-failure", "unless-stopped"], ":4"),
    (["run", "--pid", "c"], ["container:web", "container:frozen"], ":4"),
    (["run", "-v", ""], [], ":0"),
    (["run", "--read"], ["--read-only"], ":4"),
    (["rmi", "b"], ["busybox:latest"], ":4"),
    (["volume", "rm", ""], ["data"], ":4"),
    (["network", "connect", "b"], ["bridge", "back-end"], ":4"),
    (["network", "connect", "bridge", "we"], ["web"], ":4"),
    (["network", "connect", "bridge", "web", ""], [], ":4"),
    (["inspect", "--type", "n"], ["network"], ":4"),
    (["inspect", "d"], ["data"], ":4"),
    (["cp", "w"], ["web:", "worker:"], ":2"),
    (["ps", "-f", "na"], ["name="], ":6"),
    (["ps", ""], [], ":4"),
    (["kill", "--signal", "US"], ["USR1", "USR2"], ":4"),
    (["load", "-i", ""], [], ":0"),
    (["context", "use", "d"], ["default"], ":4"),
    (["-c", "d"], ["default"], ":4"),
    (["--log-level", "w"], ["warn"], ":4"),
    (["-D", "volume", "rm", ""], ["data"], ":4"),
    (["--config", "/nonexistent", "volume", "rm", ""], ["data"], ":4"),
    (["--tlsv"], ["--tlsverify"], ":4"),
    (["nothing", ""], [], ":0"),
    (["network", "nothing", ""], [], ":0"),
    (["run", "--nothing", ""], [], ":0"),
]


def test_candidates():
    with World() as world:
        for words, candidates, directive in ASKED:
            expect(world.ask(*words) == (candidates, directive), (words, world.ask(*words)))


def test_descriptions():
    with World() as world:
        done = subprocess.run([CLIENT, "__complete", "container", "pru"], capture_output=True, text=True, env=world.env)
        expect(done.stdout == "prune\tRemove all stopped containers\n:4\n", done)
        done = subprocess.run([CLIENT, "__completeNoDesc", "container", "pru"], capture_output=True, text=True, env=world.env)
        expect(done.stdout == "prune\n:4\n", done)


def test_without_a_daemon():
    with World() as world:
        expect(world.ask("rm", "", DOCKER_HOST="unix:///nonexistent") == ([], ":1"), "an error's directive")
        expect(world.ask("container", "pru", DOCKER_HOST="unix:///nonexistent") == (["prune"], ":4"), "no daemon is asked")


def bash(world, line, prelude=""):
    """What bash would offer for a line that ends at the cursor."""
    script = f"""
{prelude}
source <(caisson completion bash)
COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9; COMP_KEY=9
read -ra COMP_WORDS <<< "$COMP_LINE"
[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_caisson_complete
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, env=world.env, timeout=60)
    return done.stdout.split()


def test_bash():
    with World() as world:
        expect(bash(world, "caisson rm w") == ["web", "worker"], bash(world, "caisson rm w"))
        expect(bash(world, "caisson volume rm ") == ["data"], "volume rm")
        expect(bash(world, "caisson sto") == ["stop"], "sto")
        expect(bash(world, "caisson run --network b") == ["bridge", "back-end"], "--network")


def interactive(shell, arguments, world, setup, line, done):
    """Types a line with a tab on a terminal, and waits for what the shell makes of it."""
    child = pexpect.spawn(shell, arguments, env={**world.env, "TERM": "xterm", "PS1": "> ", "PROMPT": "> "}, cwd=world.folder,
                          encoding="utf-8", timeout=60)
    child.setwinsize(40, 200)
    child.sendline(setup)
    child.sendline("echo se''t-up")
    child.expect("set-up")
    child.send(line + "\t")
    child.expect_exact(done)
    child.close(force=True)


def test_bash_on_a_terminal():
    with World() as world:
        setup = "source /usr/share/bash-completion/bash_completion; source <(caisson completion bash)"
        interactive("bash", ["--norc", "-i"], world, setup, "caisson rm wo", "rker")
        interactive("bash", ["--norc", "-i"], world, setup, "caisson run local", "host:5000/team/app:1")
        interactive("bash", ["--norc", "-i"], world, setup, "caisson load -i som", "e-file")


def test_zsh_on_a_terminal():
    with World() as world:
        setup = "autoload -U compinit; compinit -D; source <(caisson completion zsh)"
        interactive("zsh", ["-f", "-i"], world, setup, "caisson rm wo", "rker")
        interactive("zsh", ["-f", "-i"], world, setup, "caisson run local", "host:5000/team/app:1")
        interactive("zsh", ["-f", "-i"], world, setup, "caisson load -i som", "e-file")
        # As a file of fpath, the way that a package installs it.
        folder = pathlib.Path(world.folder, "functions")
        folder.mkdir()
        script = subprocess.run([CLIENT, "completion", "zsh"], capture_output=True, text=True).stdout
        (folder / "_caisson").write_text(script)
        interactive("zsh", ["-f", "-i"], world, f"fpath=({folder} $fpath); autoload -U compinit; compinit -D",
                    "caisson volume rm da", "ta")


def fish(world, line):
    script = f"caisson completion fish | source; complete -C {line!r}"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, env=world.env, timeout=60,
                          cwd=world.folder)
    return [text.split("\t")[0] for text in done.stdout.splitlines()]


def test_fish():
    with World() as world:
        expect(fish(world, "caisson rm w") == ["web", "worker"], fish(world, "caisson rm w"))
        expect(fish(world, "caisson volume rm ") == ["data"], "volume rm")
        expect(fish(world, "caisson sto") == ["stop"], "sto")
        expect("some-file" in fish(world, "caisson load -i so"), "a file")


def test_scripts():
    for shell in ("bash", "zsh", "fish", "powershell"):
        done = subprocess.run([CLIENT, "completion", shell], capture_output=True, text=True)
        expect(done.returncode == 0 and "__complete " in done.stdout and "@" + "NAME@" not in done.stdout, (shell, done))
        done = subprocess.run([CLIENT, "completion", shell, "--no-descriptions"], capture_output=True, text=True)
        expect("__completeNoDesc " in done.stdout, shell)


def test_installed_files():
    build = pathlib.Path(CLIENT).parents[1]
    with tempfile.TemporaryDirectory() as prefix:
        subprocess.run(["cmake", "--install", build, "--component", "completions", "--prefix", prefix], check=True,
                       capture_output=True)
        for path in ("bash-completion/completions/caisson", "zsh/site-functions/_caisson", "fish/vendor_completions.d/caisson.fish"):
            expect("caisson __complete " in pathlib.Path(prefix, "share", path).read_text(), path)


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
