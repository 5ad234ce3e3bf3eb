"""A new caissond takes over in the process of the old one (SIGUSR2), under load: no byte, no exit and no exec is lost, nobody is refused."""
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

import leftovers
from api import Api, Down
from harness import BIN, Daemon, wait_until

SWAPS = 3


@pytest.fixture
def daemon():
    """From a directory of its own, where the program can be replaced as a package manager does."""
    daemon = Daemon(f"upgrade-{time.monotonic_ns()}")
    daemon.bin = daemon.dir / "installed/bin"
    daemon.bin.mkdir(parents=True)
    for name in ("caissond", "caisson-shim"):
        shutil.copy(BIN / name, daemon.bin)
    if (BIN.parent / "share").exists():
        (daemon.dir / "installed/share").symlink_to(BIN.parent / "share")
    daemon.start()
    daemon.caisson("run", "--rm", "busybox", "true")
    yield daemon
    ids = daemon.caisson("ps", "-aq").stdout.split()
    if ids:
        daemon.caisson("rm", "-f", *ids)
    daemon.stop()


def install(daemon):
    """The program anew, by rename: who runs the old one keeps its file."""
    shutil.copy(BIN / "caissond", daemon.bin / "new")
    os.rename(daemon.bin / "new", daemon.bin / "caissond")


def runs_installed(daemon):
    try:
        return os.stat(f"/proc/{daemon.process.pid}/exe").st_ino == os.stat(daemon.bin / "caissond").st_ino
    except OSError:
        return False


def swap(daemon):
    install(daemon)
    daemon.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: runs_installed(daemon) and daemon.answers(), f"the new program runs: {daemon.log()}", 60)


class Knocking:
    """New connections all the time, of which none may be refused. Answers may be cut: the request was one of the last."""

    def __init__(self, daemon):
        self.api, self.refused, self.answered, self.over = Api(daemon.socket), [], 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            try:
                status, _ = self.api.get("/containers/json", all=1)
                self.answered += status == 200
            except Down as down:
                if not down.sent:
                    self.refused.append(down)
            time.sleep(0.001)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        self.thread.join()


def start_client(daemon, *argv, **more):
    return subprocess.Popen([BIN / "caisson", *argv], env=daemon.env(), stdout=subprocess.PIPE, text=True, bufsize=1, **more)


def test_nothing_is_lost(daemon):
    count = 200000
    run = lambda *argv: daemon.caisson("run", "-d", *argv)
    run("-i", "--name", "chat", "busybox", "cat")
    run("--name", "writer", "busybox", "sh", "-c", f"seq 1 {count}; exit 11")
    run("--name", "host", "busybox", "sleep", "1000")
    chat = start_client(daemon, "attach", "chat", stdin=subprocess.PIPE)
    follower = start_client(daemon, "logs", "-f", "writer")
    waiter = start_client(daemon, "wait", "writer")
    execution = start_client(daemon, "exec", "host", "sh", "-c", "i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); sleep 0.05; done; exit 9")
    foreground = start_client(daemon, "run", "--name", "fore", "busybox", "sh", "-c", "echo a; sleep 1; echo b; exit 23")
    pid = daemon.process.pid
    with Knocking(daemon) as knocking:
        for turn in range(SWAPS):
            for number in range(5):
                run("--name", f"short-{turn}-{number}", "busybox", "sh", "-c", f"sleep 0.{number}; exit {10 * turn + number}")
            chat.stdin.write(f"line {turn}\n")
            swap(daemon)
            assert chat.stdout.readline() == f"line {turn}\n"
        wait_until(lambda: knocking.answered > 10, "requests were answered")
    assert knocking.refused == []
    assert daemon.process.pid == pid and daemon.process.poll() is None
    assert (daemon.dir / "pid").read_text().strip() == str(pid)

    daemon.caisson("kill", "chat")
    assert chat.stdout.read() == "" and chat.wait(60) == 137
    assert follower.stdout.read() == "".join(f"{i}\n" for i in range(1, count + 1)) and follower.wait(60) == 0
    assert waiter.stdout.read() == "11\n" and waiter.wait(60) == 0
    assert execution.stdout.read() == "".join(f"{i}\n" for i in range(40)) and execution.wait(60) == 9
    assert foreground.stdout.read() == "a\nb\n" and foreground.wait(60) == 23
    for turn in range(SWAPS):
        for number in range(5):
            name = f"short-{turn}-{number}"
            assert daemon.caisson("wait", name).stdout.strip() == str(10 * turn + number)
            assert daemon.caisson("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", name).stdout.strip() == "exited 0"
    ends = daemon.caisson("events", "--since", "0", "--until", str(int(time.time()) + 1), "--filter", "event=die",
                          "--format", "{{.Actor.Attributes.name}}").stdout.split()
    assert sorted(ends) == sorted(set(ends)), "each end is told once"
    assert {f"short-{turn}-{number}" for turn in range(SWAPS) for number in range(5)} <= set(ends)


def test_a_program_that_cannot_run_is_no_end(daemon):
    pid = daemon.process.pid
    (daemon.bin / "broken").write_text("no program")
    os.chmod(daemon.bin / "broken", 0o755)
    shutil.copy(daemon.bin / "caissond", daemon.bin / "kept")
    os.rename(daemon.bin / "broken", daemon.bin / "caissond")
    before = daemon.log().count("API listen on")
    daemon.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: daemon.log().count("API listen on") > before and daemon.answers(), "the old program started again", 60)
    assert daemon.process.pid == pid
    os.rename(daemon.bin / "kept", daemon.bin / "caissond")
    assert daemon.caisson("run", "--rm", "busybox", "echo", "works").stdout == "works\n"
    wait_until(lambda: leftovers.processes(daemon) == [], "its shim leaves")
