"""Every verb of the foundation, driven by the stock docker CLI."""
import hashlib
import json
import re
import signal
import subprocess

import pexpect
import pytest

from conftest import WORK, wait_until

IMAGE = "busybox"


@pytest.fixture(autouse=True)
def image(daemon):
    daemon.caisson("run", "--rm", IMAGE, "true")


def test_version_and_info(docker):
    version = json.loads(docker.out("version", "--format", "{{json .}}"))
    assert version["Server"]["ApiVersion"] >= "1.40"
    info = json.loads(docker.out("info", "--format", "{{json .}}"))
    assert info["OSType"] == "linux"
    assert info["NCPU"] >= 1


def test_hello_world_is_built_in(docker):
    assert "Hello from Caisson!" in docker.out("run", "--rm", "hello-world")


def test_run_gives_output_and_exit_codes(docker):
    assert docker.out("run", "--rm", IMAGE, "echo", "hi") == "hi"
    both = docker("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (both.stdout, both.stderr, both.returncode) == ("out\n", "err\n", 7)
    assert docker("run", "--rm", IMAGE, "sh", "-c", "sh -c 'kill -9 $$'; exit $?", check=False).returncode == 137
    assert docker("run", "--rm", "-i", IMAGE, "cat", input="through stdin\n").stdout == "through stdin\n"


def test_commands_that_cannot_start(docker):
    missing = docker("run", "--rm", IMAGE, "no-such-command", check=False)
    assert missing.returncode == 127
    assert 'exec: "no-such-command": executable file not found in $PATH' in missing.stderr
    forbidden = docker("run", "--rm", IMAGE, "/etc/passwd", check=False)
    assert forbidden.returncode == 126
    assert "permission denied" in forbidden.stderr


def test_large_streams_arrive_whole(docker):
    done = docker("run", "--rm", "-i", IMAGE, "sh", "-c", "cat | md5sum; seq 1 200000", input="x" * (8 << 20))
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == hashlib.md5(b"x" * (8 << 20)).hexdigest()
    assert lines[1:] == [str(i) for i in range(1, 200001)]


def test_the_life_of_a_container(docker, names):
    name = names()
    created = docker.out("create", "--name", name, "--label", "a=b", IMAGE, "sleep", "1000")
    assert re.fullmatch("[0-9a-f]{64}", created)
    assert docker.out("ps", "-a", "--filter", f"name={name}", "--format", "{{.Status}}") == "Created"
    assert docker.out("start", name) == name
    assert docker.out("ps", "--filter", "label=a=b", "--format", "{{.Names}} {{.State}}").split() == [name, "running"]
    assert "sleep 1000" in docker.out("top", name)
    docker("pause", name)
    assert "(Paused)" in docker.out("ps", "--filter", f"name={name}", "--format", "{{.Status}}")
    docker("unpause", name)
    new_name = names()
    docker("rename", name, new_name)
    assert docker.out("inspect", "-f", "{{.Name}}", created) == "/" + new_name
    assert docker.out("exec", new_name, "hostname") == created[:12]
    assert docker("exec", new_name, "sh", "-c", "exit 3", check=False).returncode == 3
    docker("restart", "-t", "0", new_name)
    assert docker.out("inspect", "-f", "{{.State.Running}}", created) == "true"
    docker("kill", "-s", "KILL", new_name)
    assert docker.out("wait", new_name) == "137"
    docker("start", new_name)
    docker("stop", "-t", "1", new_name)
    assert docker.out("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", created) == "exited 137"
    assert docker.out("rm", new_name) == new_name
    gone = docker("inspect", created, check=False)
    assert gone.returncode == 1 and "No such object" in gone.stderr


def test_names_in_use_and_running_containers_are_refused(docker, names):
    name = names()
    docker("run", "-d", "--name", name, IMAGE, "sleep", "1000")
    again = docker("run", "--name", name, IMAGE, "true", check=False)
    assert again.returncode == 125
    assert f'The container name "/{name}" is already in use by container' in again.stderr
    removal = docker("rm", name, check=False)
    assert removal.returncode == 1 and "container is running" in removal.stderr
    docker("rm", "-f", name)


def test_logs_with_all_their_flags(docker, names):
    name = names()
    docker("run", "--name", name, IMAGE, "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done; echo err >&2")
    assert docker("logs", name).stdout == "".join(f"line {i}\n" for i in range(1, 6))
    assert docker("logs", name).stderr == "err\n"
    assert docker("logs", "--tail", "2", name).stdout + docker("logs", "--tail", "2", name).stderr in ("line 5\nerr\n",)
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z line 1", docker.out("logs", "-t", name))
    assert docker.out("logs", "--since", "1h", name).startswith("line 1")
    assert docker.out("logs", "--until", "1h", name) == ""


def test_logs_follow_until_the_end(docker, names):
    name = names()
    docker("run", "-d", "--name", name, IMAGE, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done")
    assert docker.out("logs", "-f", name).split() == ["1", "2", "3"]


def test_an_interactive_terminal(docker, daemon, names):
    name = names()
    terminal = pexpect.spawn(docker.path, ["run", "-it", "--name", name, IMAGE, "sh"], env=daemon.env(TERM="xterm"),
                             dimensions=(33, 101), timeout=20, encoding="utf-8")
    terminal.expect("/ #")
    terminal.sendline("tty; stty size")
    terminal.expect("/dev/pts/0")
    terminal.expect("33 101")
    terminal.setwinsize(40, 120)
    # The client tells the daemon of the new size by itself; the shell sees it on its next question.
    wait_until(lambda: _asks_size(terminal, "40 120"), "the new size arrives")
    terminal.sendline("exit 5")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 5


def _asks_size(terminal, size):
    terminal.sendline("stty size")
    return terminal.expect([size, r"\d+ \d+"]) == 0


def test_detach_and_attach_again(docker, daemon, names):
    name = names()
    first = pexpect.spawn(docker.path, ["run", "-it", "--name", name, IMAGE, "sh"], env=daemon.env(TERM="xterm"), timeout=20, encoding="utf-8")
    first.expect("/ #")
    first.send("\x10\x11")
    first.expect(pexpect.EOF)
    assert docker.out("inspect", "-f", "{{.State.Running}}", name) == "true"
    second = pexpect.spawn(docker.path, ["attach", name], env=daemon.env(TERM="xterm"), timeout=20, encoding="utf-8")
    second.sendline("echo still-$((40+2))")
    second.expect("still-42")
    second.sendline("exit 4")
    second.expect(pexpect.EOF)
    second.close()
    assert second.exitstatus == 4


def test_exec_in_a_terminal(docker, daemon, names):
    name = names()
    docker("run", "-d", "--name", name, IMAGE, "sleep", "1000")
    terminal = pexpect.spawn(docker.path, ["exec", "-it", name, "sh"], env=daemon.env(TERM="xterm"), timeout=20, encoding="utf-8")
    terminal.expect("/ #")
    terminal.sendline("echo pid1=$(cat /proc/1/comm)")
    terminal.expect("pid1=sleep")
    terminal.sendline("exit 6")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 6


def test_signals_reach_the_container(docker, daemon, names):
    name = names()
    process = subprocess.Popen([docker.path, "run", "--name", name, IMAGE, "sh", "-c",
                                "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done"],
                               stdout=subprocess.PIPE, env=daemon.env(), text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == "got it\n"
    assert process.wait(20) == 9


def test_images_are_listed_tagged_saved_and_removed(docker):
    assert IMAGE in docker.out("images", "--format", "{{.Repository}}")
    docker("tag", IMAGE, "other:tagged")
    archive = WORK / "other.tar"
    docker("save", "-o", archive, "other:tagged")
    assert "Untagged: other:tagged" in docker.out("rmi", "other:tagged")
    assert "Loaded image: other:tagged" in docker.out("load", "-i", archive)
    docker("rmi", "other:tagged")
    archive.unlink()
    missing = docker("rmi", "no-such-image", check=False)
    assert missing.returncode == 1 and "No such image: no-such-image" in missing.stderr


def test_isolation_and_limits(docker):
    out = docker.out("run", "--rm", "-m", "64m", "--hostname", "box", "--pids-limit", "50", IMAGE, "sh", "-c",
                     "hostname; echo $$; ls /proc | grep -c '^[0-9]'; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null;"
                     "grep ^CapEff /proc/self/status; grep ^Seccomp: /proc/self/status; cat /proc/kcore | wc -c")
    lines = out.splitlines()
    assert lines[0] == "box" and lines[1] == "1"
    assert str(64 << 20) in lines
    assert any(re.match(r"CapEff:\s+00000000a80425fb", line) for line in lines)
    assert any(re.match(r"Seccomp:\s+2", line) for line in lines)
    assert lines[-1] == "0"


def test_networks(docker, names):
    address = docker.out("run", "--rm", IMAGE, "sh", "-c", "ip -4 addr show eth0 | grep -o 'inet [0-9.]*'")
    assert address.startswith("inet 172.")
    assert "eth0" not in docker.out("run", "--rm", "--network", "none", IMAGE, "ip", "link")
    name = names()
    docker("run", "-d", "--name", name, "-p", "127.0.0.1:18080:80", IMAGE, "sh", "-c", "mkdir /w; echo served > /w/index.html; httpd -f -p 80 -h /w")
    assert docker.out("port", name) == "80/tcp -> 127.0.0.1:18080"
    assert docker.out("run", "--rm", "--network", "host", IMAGE, "wget", "-qO-", "http://127.0.0.1:18080/") == "served"
    assert docker.out("run", "--rm", "--network", f"container:{name}", IMAGE, "wget", "-qO-", "http://127.0.0.1:80/") == "served"
    taken = docker("run", "--rm", "-p", "127.0.0.1:18080:80", IMAGE, "true", check=False)
    assert taken.returncode == 125 and "port is already allocated" in taken.stderr


def test_no_daemon_at_the_socket(docker):
    import os
    from conftest import run
    done = run(docker.path, "ps", check=False, env={**os.environ, "DOCKER_HOST": "unix:///nowhere.sock"})
    assert done.returncode == 1 and "docker daemon" in done.stderr.lower()
