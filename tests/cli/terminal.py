#!/usr/bin/env python3
"""What the client does with a terminal, with signals, and when the daemon goes away: run against a daemon
that only listens.

  terminal.py CAISSON [TEST…]
"""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_daemon import CONTAINER, FakeDaemon, chunk, frame  # noqa: E402

CAISSON = os.path.abspath(sys.argv[1])


def environment(daemon):
    return {"PATH": os.environ["PATH"], "HOME": "/root", "DOCKER_HOST": daemon.host, "DOCKER_CONFIG": "/nonexistent"}


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError("not within time: " + what)


class Terminal:
    """The client on a terminal of its own."""

    def __init__(self, daemon, *arguments, rows=30, columns=100):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.process = subprocess.Popen([CAISSON, *arguments], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=environment(daemon), start_new_session=True)

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO)

    def type(self, text):
        os.write(self.master, text)

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65536)
        return self.output

    def end(self):
        status = self.process.wait(60)
        self.read()
        assert termios.tcgetattr(self.slave) == self.before, "the terminal was not restored"
        os.close(self.master)
        os.close(self.slave)
        return status


class Container:
    """The other end of an attached connection: keeps what is typed, says what it is told to."""

    def __init__(self, daemon):
        self.typed, self.connection = b"", None
        daemon.on_upgrade = self.attached

    def attached(self, connection, _):
        self.connection = connection
        while data := connection.recv(65536):
            self.typed += data

    def say(self, data):
        until(lambda: self.connection, "attached")
        self.connection.sendall(data)

    def end(self):
        self.connection.shutdown(socket.SHUT_RDWR)


def paths(daemon, verb):
    return [r for r in daemon.requests if r.path.endswith("/" + verb)]


def waiting(daemon):
    """Makes /wait answer only when the event is set, with the status then in `box`."""
    done, box = threading.Event(), {"StatusCode": 0}

    def handler(connection, _):
        done.wait(120)
        connection.sendall(chunk(json.dumps(box).encode()) + b"0\r\n\r\n")

    daemon.on_stream[f"POST /containers/{CONTAINER}/wait"] = handler
    return done, box


def test_interactive_run():
    with FakeDaemon() as daemon:
        container, (done, box) = Container(daemon), waiting(daemon)
        daemon.answers[f"POST /containers/{CONTAINER}/resize"] = (200, b"")
        terminal = Terminal(daemon, "run", "-it", "--rm", "busybox", "sh")
        until(lambda: paths(daemon, "resize"), "the first size")
        assert terminal.is_raw()
        assert dict(paths(daemon, "resize")[0].query) == {"h": "30", "w": "100"}
        assert daemon.requests[0].json()["HostConfig"]["ConsoleSize"] == [30, 100]
        terminal.type(b"ls\r\x03")
        until(lambda: container.typed == b"ls\r\x03", "what was typed")
        container.say(b"\x1b[1mbold\r\n")
        until(lambda: b"\x1b[1mbold\r\n" in terminal.read(), "output as it is")
        terminal.resize(40, 120)
        terminal.process.send_signal(signal.SIGWINCH)
        until(lambda: len(paths(daemon, "resize")) == 2, "the new size")
        assert dict(paths(daemon, "resize")[1].query) == {"h": "40", "w": "120"}
        box["StatusCode"] = 42
        container.end()
        done.set()
        assert terminal.end() == 42


def test_detach():
    for keys, typed in (([], b"\x10\x11"), (["--detach-keys", "ctrl-x,d"], b"\x18d")):
        with FakeDaemon() as daemon:
            container, _ = Container(daemon), waiting(daemon)
            terminal = Terminal(daemon, "run", "-it", *keys, "busybox", "sh")
            until(lambda: container.connection and terminal.is_raw(), "attached")
            terminal.type(typed[:1] + b"x")
            until(lambda: container.typed == typed[:1] + b"x", "a beginning that was none")
            terminal.type(typed)
            assert terminal.end() == 0
            assert container.typed == typed[:1] + b"x"


def test_ended_by_a_signal():
    with FakeDaemon() as daemon:
        container, _ = Container(daemon), waiting(daemon)
        terminal = Terminal(daemon, "run", "-it", "busybox", "sh")
        until(lambda: container.connection and terminal.is_raw(), "raw")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == -signal.SIGTERM


def test_signals_go_to_the_container():
    with FakeDaemon() as daemon:
        container, (done, box) = Container(daemon), waiting(daemon)
        daemon.answers[f"POST /containers/{CONTAINER}/kill"] = (204, b"")
        process = subprocess.Popen([CAISSON, "run", "busybox", "sleep"], env=environment(daemon),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        until(lambda: paths(daemon, "start"), "started")
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            process.send_signal(sent)
            until(lambda: [r for r in paths(daemon, "kill") if dict(r.query)["signal"] == sent.name[3:]], sent.name)
        # Also after the output has ended.
        container.end()
        time.sleep(0.1)
        process.send_signal(signal.SIGHUP)
        until(lambda: [r for r in paths(daemon, "kill") if dict(r.query)["signal"] == "HUP"], "HUP")
        box["StatusCode"] = 130
        done.set()
        assert process.wait(60) == 130


def test_much_input_against_much_output():
    size = 8 << 20
    with FakeDaemon() as daemon:
        received = []

        def attached(connection, _):
            # Writes all of its output before it reads anything.
            for _ in range(size // 65536):
                connection.sendall(frame(1, b"o" * 65536))
            total = 0
            while data := connection.recv(1 << 20):
                total += len(data)
            received.append(total)
            connection.close()

        daemon.on_upgrade = attached
        process = subprocess.Popen([CAISSON, "run", "-i", "--rm", "busybox", "cat"], env=environment(daemon),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, _ = process.communicate(b"i" * size, timeout=120)
        assert process.returncode == 0
        # The listening end counts on its own thread.
        until(lambda: received, "all of the input")
        assert len(out) == size and received == [size], (len(out), received)


def log_line(i):
    return b"2026-11-20T22:38:46.%09dZ line %d\n" % (i // 3, i)  # three lines of one time each


def test_logs_follow_through_the_daemons_death():
    lines, cut = 30, (10, 11, 20)
    with FakeDaemon() as daemon:
        starts = []

        def logs(connection, request):
            query = dict(request.query)
            since = query.get("since", "")
            first = next((i for i in range(lines) if log_line(i).split()[0].decode() >= since), lines)
            starts.append(since)
            stop = cut[len(starts) - 1] if len(starts) <= len(cut) else lines
            for i in range(first, stop):
                connection.sendall(chunk(frame(1 + i % 2, log_line(i))))
            if stop < lines:
                # Half a frame, then nothing more.
                connection.sendall(chunk(frame(1, log_line(stop))[:12]))
                time.sleep(0.1)
                threading.Thread(target=restart).start()
            else:
                connection.sendall(b"0\r\n\r\n")

        def restart():
            daemon.die()
            time.sleep(0.1)
            daemon.start()

        daemon.on_stream["GET /containers/a/logs"] = logs
        daemon.answers["GET /containers/a/json"] = (200, {"State": {"Running": False}, "Config": {}})
        process = subprocess.run([CAISSON, "logs", "-f", "a"], env=environment(daemon), stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=120)
        assert process.returncode == 0, process.stderr
        assert process.stdout.splitlines() == [f"line {i}" for i in range(0, lines, 2)]
        on_stderr = [line for line in process.stderr.splitlines() if line.startswith("line")]
        assert on_stderr == [f"line {i}" for i in range(1, lines, 2)]
        assert len(starts) == 4 and starts[0] == ""
        assert process.stderr.count("went away") == 3


def test_wait_through_the_daemons_death():
    with FakeDaemon() as daemon:
        calls = []

        def wait(connection, _):
            calls.append(1)
            if len(calls) > 1:
                connection.sendall(chunk(b'{"StatusCode": 9}') + b"0\r\n\r\n")
            else:
                threading.Thread(target=restart).start()
                time.sleep(5)

        def restart():
            daemon.die()
            time.sleep(0.2)
            daemon.start()

        daemon.on_stream["POST /containers/a/wait"] = wait
        process = subprocess.run([CAISSON, "wait", "a"], env=environment(daemon), capture_output=True, text=True,
                                 timeout=120)
        assert (process.returncode, process.stdout) == (0, "9\n"), process


def test_run_through_the_daemons_death():
    """The container ends while no daemon is there, and the next one has removed it (--rm) before it is asked."""
    with FakeDaemon() as daemon:
        container = Container(daemon)
        daemon.on_stream[f"POST /containers/{CONTAINER}/wait"] = lambda connection, _: time.sleep(20)
        process = subprocess.Popen([CAISSON, "run", "--rm", "busybox", "x"], env=environment(daemon),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: paths(daemon, "start"), "started")
        container.say(frame(1, b"before\n"))
        daemon.die(keep=[container.connection])
        container.say(frame(1, b"after\n"))
        container.end()
        time.sleep(0.1)
        daemon.on_stream.clear()
        daemon.answers[f"POST /containers/{CONTAINER}/wait"] = (404, {"message": "No such container"})
        daemon.answers["GET /events"] = (200, (b'{"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":'
                                               b'{"exitCode":"17"}},"time":1,"timeNano":1}\n'))
        daemon.start()
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (17, b"before\nafter\n"), (process.returncode, out, err)


def test_exec_status_and_streams():
    with FakeDaemon() as daemon:
        daemon.attached = frame(1, b"to out\n") + frame(2, b"to err\n")
        daemon.answers["POST /containers/a/exec"] = (201, {"Id": "e1"})
        daemon.answers["GET /exec/e1/json"] = (200, {"ExitCode": 3, "Running": False})
        process = subprocess.run([CAISSON, "exec", "-i", "a", "cat"], input=b"in", env=environment(daemon),
                                 capture_output=True, timeout=120)
        assert (process.returncode, process.stdout, process.stderr) == (3, b"to out\n", b"to err\n")


def main():
    wanted = sys.argv[2:]
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        try:
            test()
            print("passed", name)
        except Exception as error:  # noqa: BLE001: all tests are to run
            failed += 1
            print("FAILED", name, type(error).__name__, error)
    sys.exit(1 if failed else 0)


main()
