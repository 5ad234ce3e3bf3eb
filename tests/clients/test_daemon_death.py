"""kill -9 of the daemon: containers, their output, their exit codes and their clients outlive it."""
import itertools
import subprocess
import time

import pytest

from conftest import BIN, DOCKERS, Daemon, run, wait_until

IMAGE = "busybox"
NUMBER = itertools.count()


@pytest.fixture
def mortal():
    daemon = Daemon(f"mortal-{next(NUMBER)}").start()
    daemon.caisson("run", "--rm", IMAGE, "true")
    yield daemon
    if daemon.process.poll() is not None:
        daemon.start()
    ids = daemon.caisson("ps", "-aq").stdout.split()
    if ids:
        daemon.caisson("rm", "-f", *ids)
    daemon.stop()


def state(daemon, name, field="Status"):
    return daemon.caisson("inspect", "-f", "{{.State.%s}}" % field, name).stdout.strip()


def test_no_line_is_lost(mortal):
    count = 300000
    mortal.caisson("run", "-d", "--name", "writer", IMAGE, "sh", "-c", f"seq 1 {count}; exit 11")
    follower = subprocess.Popen([BIN / "caisson", "logs", "-f", "writer"], stdout=subprocess.PIPE, env=mortal.env(), text=True)
    first = [follower.stdout.readline() for _ in range(1000)]
    mortal.kill()
    time.sleep(0.3)
    mortal.start()
    assert mortal.caisson("wait", "writer").stdout.strip() == "11"
    rest = follower.stdout.read()
    assert follower.wait(60) == 0
    expected = "".join(f"{i}\n" for i in range(1, count + 1))
    assert "".join(first) + rest == expected, "a following `logs -f` reconnects and neither loses nor repeats a line"
    assert mortal.caisson("logs", "writer").stdout == expected


def test_exits_that_nobody_saw_are_reported(mortal):
    mortal.caisson("run", "-d", "--name", "short", IMAGE, "sh", "-c", "sleep 0.5; exit 42")
    mortal.caisson("run", "-d", "--name", "removed", "--rm", IMAGE, "sleep", "0.5")
    mortal.caisson("run", "-d", "--name", "again", "--restart", "on-failure:1", IMAGE, "sh", "-c", "sleep 0.5; exit 1")
    mortal.kill()
    time.sleep(1.5)
    mortal.start()
    assert (state(mortal, "short"), state(mortal, "short", "ExitCode")) == ("exited", "42")
    wait_until(lambda: "removed" not in mortal.caisson("ps", "-a", "--format", "{{.Names}}").stdout, "--rm is honoured")
    wait_until(lambda: mortal.caisson("inspect", "-f", "{{.RestartCount}}", "again").stdout.strip() == "1", "the restart policy is honoured")


def test_the_next_daemon_adopts_what_runs(mortal):
    mortal.caisson("run", "-d", "--name", "kept", "-p", "127.0.0.1:18090:80", IMAGE, "sh", "-c",
                   "mkdir /w; echo alive > /w/index.html; exec httpd -f -p 80 -h /w")
    pid = state(mortal, "kept", "Pid")
    fetch = lambda: run(BIN / "caisson", "exec", "kept", "true", env=mortal.env(), check=False).returncode == 0
    mortal.kill()
    served = run("/usr/bin/python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:18090/', timeout=5).read())").stdout
    assert "alive" in served, "a published port works while no daemon lives"
    mortal.start()
    assert state(mortal, "kept", "Pid") == pid
    assert fetch()
    mortal.caisson("stop", "-t", "1", "kept")
    assert state(mortal, "kept") == "exited"


@pytest.mark.parametrize("docker", DOCKERS)
def test_an_attached_stock_client_keeps_its_stream(mortal, docker):
    mortal.caisson("run", "-d", "-i", "--name", "chat", IMAGE, "cat")
    client = subprocess.Popen([docker, "attach", "chat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=mortal.env(), text=True, bufsize=1)
    client.stdin.write("before\n")
    assert client.stdout.readline() == "before\n"
    mortal.kill()
    client.stdin.write("after\n")
    assert client.stdout.readline() == "after\n", "the shim serves the connection itself"
    mortal.start()
    client.stdin.close()
    assert client.stdout.read() == ""
    client.wait(20)


def test_a_foreground_run_ends_with_the_right_code(mortal):
    client = subprocess.Popen([BIN / "caisson", "run", "--name", "fore", IMAGE, "sh", "-c", "echo a; sleep 1; echo b; exit 23"],
                              stdout=subprocess.PIPE, env=mortal.env(), text=True)
    assert client.stdout.readline() == "a\n"
    mortal.kill()
    time.sleep(0.2)
    mortal.start()
    assert client.stdout.read() == "b\n"
    assert client.wait(20) == 23
