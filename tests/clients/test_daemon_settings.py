"""daemon.json, its reload, where the daemon listens, and how it ends."""
import csv
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import BIN, WORK, Daemon, run, wait_until

TABLE = pathlib.Path(__file__).parent.parent / "api" / "daemon_json.tsv"
IMAGE = "busybox"


def validate(path, text, *flags):
    path.write_text(text)
    return run(BIN / "caissond", "--validate", "--config-file", path, *flags, check=False)


def test_every_key_of_daemon_json(tmp_path):
    """ok: taken without a word; warning: taken, and said what it means; error: refused; any: of another part."""
    wrong = []
    with open(TABLE) as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            done = validate(tmp_path / "d.json", '{"%s": %s}' % (row["key"], row["value"]))
            said = done.stdout + done.stderr
            verdict = "error" if done.returncode else "warning" if "level=warning" in said or "level=warn" in said else "ok"
            if "Traceback" in said or (verdict, row["text"] in said) != (row["verdict"], True) and row["verdict"] != "any":
                wrong.append((row["key"], row["value"], verdict, said))
    assert not wrong, wrong


def test_every_flag_is_a_key_too():
    """Whatever the help shows can stand in the file, under its own name or docker's plural."""
    plurals = {"add-runtime": "runtimes", "feature": "features"}
    keys = {line.split("\t")[0] for line in TABLE.read_text().splitlines()}
    shown = re.findall(r"^ +(?:-\w, |    )--([a-z0-9-]+)", run(BIN / "caissond", "--help").stdout, re.MULTILINE)
    assert len(shown) > 60
    missing = [flag for flag in shown if not keys & {flag, plurals.get(flag, flag + "s"), flag.replace("registry", "registries")}
               and flag not in ("config-file", "help", "validate", "version")]
    assert not missing


@pytest.mark.parametrize("text, flags, message", [
    ('{"debug": true}', ["--debug"], "specified both as a flag and in the configuration file: debug: (from flag: true, from file: true)"),
    ('{"hosts": ["unix:///a"]}', ["-H", "unix:///b"], "hosts: (from flag: [unix:///b], from file: [unix:///a])"),
    ('{"labels": ["a=b"], "mtu": 1}', ["--label", "c=d", "--mtu", "2"], "mtu: (from flag: 2, from file: 1)"),
    ('{"debug": ', [], "invalid JSON"),
    ('["debug"]', [], "want an object"),
    ('{"debug": true} {"debug": false}', [], "invalid JSON"),
], ids=["bool", "list", "two", "cut", "array", "twice"])
def test_conflicts_and_broken_files(tmp_path, text, flags, message):
    done = validate(tmp_path / "d.json", text, *flags)
    assert done.returncode == 1
    assert f"unable to configure the Docker daemon with file {tmp_path}/d.json: " in done.stderr
    assert message in done.stderr


def test_runtimes_of_flags_and_file_add_up(tmp_path):
    assert validate(tmp_path / "d.json", '{"runtimes": {"a": {"path": "/a"}}, "default-runtime": "b"}', "--add-runtime", "b=/b").returncode == 0


class Events:
    """`caisson events` of one daemon, in the background."""

    def __init__(self, daemon, *flags):
        since = str(time.time())
        self.process = subprocess.Popen([BIN / "caisson", "events", "--since", since, "--format", "json", *flags], env=daemon.env(),
                                        stdout=subprocess.PIPE, text=True)

    def next(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


def configured(name, settings, *flags):
    daemon = Daemon(name, *flags)
    (daemon.dir / "daemon.json").write_text(json.dumps(settings))
    return daemon.start()


def test_reload():
    daemon = configured("reload", {"labels": ["a=1"], "max-concurrent-downloads": 3})
    config = daemon.dir / "daemon.json"
    events = Events(daemon, "--filter", "type=daemon")
    try:
        pid = daemon.process.pid
        info = lambda field: daemon.caisson("info", "--format", "{{json .%s}}" % field).stdout.strip()
        assert json.loads(info("Labels")) == ["a=1"]

        config.write_text(json.dumps({
            "labels": ["a=2"], "debug": True, "max-concurrent-downloads": 7, "default-shm-size": "16m", "default-ipc-mode": "shareable",
            "insecure-registries": ["reg.test:5000"], "registry-mirrors": ["https://mirror.test"], "live-restore": False,
            "runtimes": {"other": {"path": str(BIN / "caisson-runtime")}}, "default-runtime": "other", "shutdown-timeout": 4,
            "mtu": 1400}))
        daemon.process.send_signal(signal.SIGHUP)
        event = events.next()
        assert (event["Type"], event["Action"]) == ("daemon", "reload")
        assert event["Actor"]["ID"] == json.loads(info("ID"))
        said = event["Actor"]["Attributes"]
        assert said["name"] == json.loads(info("Name"))
        assert {key: said[key] for key in ("debug", "default-shm-size", "labels", "live-restore", "max-concurrent-downloads", "default-runtime",
                                           "shutdown-timeout", "insecure-registries", "registry-mirrors")} == {
            "debug": "true", "default-shm-size": "16777216", "labels": '["a=2"]', "live-restore": "false", "max-concurrent-downloads": "7",
            "default-runtime": "other", "shutdown-timeout": "4", "insecure-registries": '["reg.test:5000"]', "registry-mirrors": '["https://mirror.test"]'}
        assert json.loads(info("Labels")) == ["a=2"] and json.loads(info("Debug")) is True
        assert json.loads(info("RegistryConfig.Mirrors")) == ["https://mirror.test"]
        wait_until(lambda: "changed, but read at start only: mtu: restart the daemon" in daemon.log(), "what needs a restart is named, and nothing else")

        # What a new container gets, and by which runtime it runs.
        daemon.caisson("run", "-d", "--name", "new", IMAGE, "sleep", "60")
        shown = json.loads(daemon.caisson("inspect", "new").stdout)[0]["HostConfig"]
        assert (shown["ShmSize"], shown["IpcMode"], shown["Runtime"]) == (16777216, "shareable", "other")
        daemon.caisson("rm", "-f", "new")

        # A wrong file changes nothing, not even what is right in it.
        for text, message in [('{"labels": ["a=3"], "max-concurrent-downloads": 0}', "invalid max concurrent downloads: 0"),
                              ('{"labels": ["a=3"], "default-runtime": "gone"}', "specified default runtime 'gone' does not exist"),
                              ('{"labels"', "invalid JSON"), ('{"labels": ["a=3"], "pidfile": "/x"}', "specified both as a flag and in the configuration file")]:
            config.write_text(text)
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: message in daemon.log(), f"the log says why: {message}")
            assert json.loads(info("Labels")) == ["a=2"]
        config.write_text('{"labels": ["a=4"]}')
        daemon.process.send_signal(signal.SIGHUP)
        event = events.next()
        assert event["Actor"]["Attributes"]["labels"] == '["a=4"]', "none of the failed ones made an event"
        assert event["Actor"]["Attributes"]["max-concurrent-downloads"] == "3", "what the file no longer names has its default again"
        assert daemon.process.pid == pid and daemon.process.poll() is None
    finally:
        events.close()
        daemon.stop()


def test_json_log_and_level():
    daemon = configured("jsonlog", {"log-format": "json", "log-level": "info"})
    daemon.stop()
    lines = (daemon.dir / "caissond.log").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert any(entry["msg"].startswith("API listen on unix://") and entry["level"] == "info" for entry in entries), lines


def test_the_data_root_moves():
    """Containers, their logs, images and volumes are found where the data root is now."""
    daemon = Daemon("moves").start()
    daemon.caisson("run", "--name", "old", "-v", "kept:/data", IMAGE, "sh", "-c", "echo hello; echo inside > /written; echo shared > /data/file")
    daemon.stop()
    moved = daemon.dir / "elsewhere"
    os.rename(daemon.dir / "data", moved)
    again = Daemon("moved", "--label", "moved=1")
    os.rename(moved, again.dir / "data")
    again.start()
    try:
        assert again.caisson("logs", "old").stdout == "hello\n"
        assert again.caisson("volume", "inspect", "-f", "{{.Mountpoint}}", "kept").stdout.strip() == str(again.dir / "data/volumes/kept/_data")
        shown = json.loads(again.caisson("inspect", "old").stdout)[0]
        old_root = str(daemon.dir / "data")
        assert old_root not in json.dumps(shown), "no path of the old place is left"
        again.caisson("cp", "old:/written", again.dir / "copied")
        assert (again.dir / "copied").read_text() == "inside\n"
        assert again.caisson("run", "--rm", "-v", "kept:/data", IMAGE, "cat", "/data/file").stdout == "shared\n"
        again.caisson("start", "-a", "old")
        again.caisson("rm", "-v", "old")
    finally:
        again.stop()


def test_listens_in_several_places(tmp_path):
    extra = WORK / "extra.sock"
    daemon = Daemon("several", "-H", f"unix://{extra}", "-H", "tcp://127.0.0.1:23750", "--group", "0").start()
    try:
        for host in (daemon.host, f"unix://{extra}", "tcp://127.0.0.1:23750"):
            assert run(BIN / "caisson", "-H", host, "version", "--format", "{{.Server.Os}}").stdout.strip() == "linux"
        for path in (daemon.socket, extra):
            assert os.stat(path).st_mode & 0o777 == 0o660 and os.stat(path).st_gid == 0
        assert "API is accessible on http://127.0.0.1:23750 without encryption" in daemon.log()
    finally:
        daemon.stop()
    done = run(BIN / "caissond", "--data-root", tmp_path / "d", "--exec-root", tmp_path / "e", "--config-file", tmp_path / "none", "-H",
               f"unix://{tmp_path}/s", "--group", "no-such-group", check=False)
    assert done.returncode == 1 and "group no-such-group not found" in done.stderr


class Manager:
    """What systemd is to a service: the socket that it listens at and the one that it wants to be told at."""

    def __init__(self, name):
        self.dir = WORK / name
        self.dir.mkdir()
        self.path = self.dir / "notify"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.path))
        self.notify.settimeout(30)
        self.listener = socket.socket(socket.AF_UNIX)
        self.api = self.dir / "api.sock"
        self.listener.bind(str(self.api))
        self.listener.listen(64)

    def start(self, host):
        # As systemd: descriptor 3, and the process's own number in the environment.
        script = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=caisson.socket; exec "$@"'
        env = {**os.environ, "NOTIFY_SOCKET": str(self.path)}
        log = open(self.dir / "log", "ab")
        fd = self.listener.fileno()
        return subprocess.Popen(["bash", "-c", f"exec 3<&{fd}; " + script, "bash", BIN / "caissond", "--data-root", self.dir / "data", "--exec-root",
                                 self.dir / "exec", "--config-file", self.dir / "daemon.json", "-H", host],
                                pass_fds=(fd,), env=env, stdout=log, stderr=log)

    def told(self):
        return self.notify.recv(4096).decode()


@pytest.mark.parametrize("host", ["fd://", "fd://caisson.socket"], ids=["all", "named"])
def test_socket_activation_and_notification(host):
    manager = Manager("activated-" + host[5:9])
    process = manager.start(host)
    try:
        assert manager.told() == "READY=1"
        api = f"unix://{manager.api}"
        assert run(BIN / "caisson", "-H", api, "version", "--format", "{{.Server.Os}}").stdout.strip() == "linux"
        run(BIN / "caisson", "-H", api, "run", "-d", "--name", "it", IMAGE, "sleep", "100", timeout=60)
        told = run(BIN / "caisson", "-H", api, "exec", "it", "env").stdout
        assert "NOTIFY_SOCKET" not in told and "LISTEN_FDS" not in told
        run(BIN / "caisson", "-H", api, "rm", "-f", "it")
        process.send_signal(signal.SIGHUP)
        assert manager.told().startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert manager.told() == "READY=1"
        process.terminate()
        assert manager.told() == "STOPPING=1"
        assert process.wait(30) == 0
        # The manager keeps the socket: whoever connects now waits for the next daemon.
        waiting = subprocess.Popen([BIN / "caisson", "-H", api, "version", "--format", "{{.Server.Os}}"], stdout=subprocess.PIPE, text=True)
        process = manager.start(host)
        assert waiting.communicate(timeout=30)[0].strip() == "linux"
    finally:
        process.terminate()
        process.wait(30)
    bad = manager.start("fd://other")
    assert bad.wait(30) == 1
    assert "failed to find systemd activated socket: fd://other" in (manager.dir / "log").read_text()


def pid_of(daemon, name):
    return int(daemon.caisson("inspect", "-f", "{{.State.Pid}}", name).stdout)


def lives(pid):
    return os.path.exists(f"/proc/{pid}")


def test_sigterm_with_live_restore_leaves_containers_alone():
    daemon = configured("stays", {"live-restore": True})
    daemon.caisson("run", "-d", "--name", "it", IMAGE, "sleep", "600")
    pid = pid_of(daemon, "it")
    daemon.stop()
    assert lives(pid)
    daemon.start()
    assert pid_of(daemon, "it") == pid
    daemon.caisson("rm", "-f", "it")
    daemon.stop()
    assert not (daemon.dir / "pid").exists()


def test_sigterm_without_live_restore_stops_containers():
    daemon = configured("stops", {"live-restore": False, "shutdown-timeout": 1})
    daemon.caisson("run", "-d", "--name", "polite", IMAGE, "sh", "-c", "trap 'echo bye; exit 3' TERM; while :; do sleep 0.1; done")
    daemon.caisson("run", "-d", "--name", "deaf", "--restart", "always", IMAGE, "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    wait_until(lambda: daemon.caisson("top", "deaf").stdout.count("sh") and daemon.caisson("top", "polite").stdout.count("sh"), "both run")
    time.sleep(0.5)
    pids = [pid_of(daemon, name) for name in ("polite", "deaf")]
    daemon.stop()
    assert not any(lives(pid) for pid in pids)
    daemon.start()
    state = lambda name: daemon.caisson("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name).stdout.strip()
    assert state("polite") == "exited 3" and daemon.caisson("logs", "polite").stdout == "bye\n"
    wait_until(lambda: state("deaf").startswith("running"), "its policy starts it again with the next daemon")
    daemon.caisson("rm", "-f", "polite", "deaf")
    daemon.stop()


def test_the_third_signal_ends_it_at_once():
    daemon = configured("impatient", {"live-restore": False, "shutdown-timeout": 600})
    daemon.caisson("run", "-d", "--name", "deaf", IMAGE, "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    daemon.process.terminate()
    wait_until(lambda: "Processing signal 'terminated'" in daemon.log(), "the first is taken")
    for count in range(2):
        assert daemon.process.poll() is None
        daemon.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # a signal that is pending already would be one with it
    assert daemon.process.wait(20) == 128 + signal.SIGTERM
    assert "Forcing shutdown without cleanup: 3 interrupts received" in daemon.log()
    (daemon.dir / "daemon.json").write_text("{}")
    daemon.start()
    assert daemon.caisson("inspect", "-f", "{{.State.Status}}", "deaf").stdout.strip() == "running"
    daemon.caisson("rm", "-f", "deaf")
    daemon.stop()


def certificate(directory, name, signer=None, names=()):
    """A key and a certificate by openssl; `signer` is another one's name."""
    key, request, cert = (directory / f"{name}{end}" for end in ("-key.pem", ".csr", ".pem"))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if signer is None:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                        "-days", "2", "-subj", f"/CN={name}"], check=True, **quiet)
        return
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", request,
                    "-subj", f"/CN={name}"], check=True, **quiet)
    extensions = directory / f"{name}.ext"
    extensions.write_text("subjectAltName=" + ",".join(names) + "\n" if names else "extendedKeyUsage=clientAuth\n")
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", directory / f"{signer}.pem", "-CAkey", directory / f"{signer}-key.pem",
                    "-CAcreateserial", "-out", cert, "-days", "2", "-extfile", extensions], check=True, **quiet)


def test_tls_with_client_verification(docker):
    directory = WORK / f"tls-{os.path.basename(os.path.dirname(os.path.dirname(docker.path)))}"
    directory.mkdir()
    certificate(directory, "ca")
    certificate(directory, "server", "ca", ["IP:127.0.0.1", "DNS:localhost"])
    certificate(directory, "client", "ca")
    certificate(directory, "strangers-ca")
    certificate(directory, "stranger", "strangers-ca")
    daemon = Daemon(directory.name + "-d", "-H", "tcp://127.0.0.1:23760", "--tlsverify", "--tlscacert", directory / "ca.pem", "--tlscert",
                    directory / "server.pem", "--tlskey", directory / "server-key.pem").start()
    try:
        tls = lambda who, ca="ca": ["-H", "tcp://127.0.0.1:23760", "--tlsverify", "--tlscacert", directory / f"{ca}.pem", "--tlscert",
                                    directory / f"{who}.pem", "--tlskey", directory / f"{who}-key.pem"]
        env = {**os.environ, "HOME": str(directory)}
        assert run(docker.path, *tls("client"), "run", "--rm", IMAGE, "echo", "over", "tls", env=env).stdout == "over tls\n"
        typed = run(docker.path, *tls("client"), "run", "--rm", "-i", IMAGE, "cat", env=env, input="x" * 300000)
        assert typed.stdout == "x" * 300000
        for argv in (tls("stranger"), ["-H", "tcp://127.0.0.1:23760", "--tls"], tls("client", "strangers-ca"), ["-H", "tcp://127.0.0.1:23760"]):
            done = run(docker.path, *argv, "version", check=False, env=env)
            assert done.returncode != 0 and "Server: " not in done.stdout, argv
        assert "without encryption" not in daemon.log()
    finally:
        daemon.stop()
