"""What every test against a caissond of its own needs: the programs, a place to work, the daemon."""
import os
import pathlib
import signal
import socket
import subprocess
import time

BIN = pathlib.Path(os.environ["CAISSON_BIN"])
WORK = pathlib.Path(os.environ["CAISSON_TEST_DIR"])
CACHE = pathlib.Path(os.environ.get("CAISSON_TEST_CACHE", WORK))
DOCKERS = [path for path in ("/usr/bin/docker", "/usr/local/bin/docker") if os.path.exists(path)]


def run(*argv, check=True, timeout=120, **more):
    """A finished command with text output; a failure shows what it printed."""
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, **more)
    assert not check or done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Daemon:
    def __init__(self, name, *flags):
        self.dir = WORK / name
        self.dir.mkdir()
        self.flags, self.bin = flags, BIN
        self.socket = self.dir / "s.sock"
        self.host = f"unix://{self.socket}"
        self.process = None

    def start(self, **environment):
        """With more environment for it and its shims: crash points, faults."""
        log = open(self.dir / "caissond.log", "ab")
        self.process = subprocess.Popen(
            [self.bin / "caissond", "--data-root", self.dir / "data", "--exec-root", self.dir / "exec",
             "--pidfile", self.dir / "pid", "--config-file", self.dir / "daemon.json", "-H", self.host, *self.flags],
            stdout=log, stderr=log, start_new_session=True, env={**os.environ, **environment})
        wait_until(self.answers, f"caissond answers; its log:\n{self.log()}")
        return self

    def answers(self):
        assert self.process.poll() is None, f"caissond ended: {self.log()}"
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
                client.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
                return b"200 OK" in client.recv(4096)
            except OSError:
                return False

    def log(self):
        path = self.dir / "caissond.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def kill(self):
        """SIGKILL, as a crash."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def env(self, **more):
        return {**os.environ, "DOCKER_HOST": self.host, "HOME": str(self.dir), "DOCKER_CONFIG": str(self.dir / ".docker"), **more}

    def caisson(self, *argv, **more):
        return run(BIN / "caisson", *argv, env=self.env(), **more)
