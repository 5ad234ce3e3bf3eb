"""Log drivers against real receivers: rsyslog, journald, fluentd's protocol by msgpack, GELF."""
import gzip
import itertools
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time
import zlib

import msgpack
import pytest

from conftest import BIN, WORK, Daemon, run, wait_until

IMAGE = "busybox"
NUMBER = itertools.count()


@pytest.fixture(scope="module")
def logger():
    daemon = Daemon("logger").start()
    daemon.caisson("run", "--rm", IMAGE, "true")
    yield daemon
    if daemon.process.poll() is not None:
        daemon.start()
    ids = daemon.caisson("ps", "-aq").stdout.split()
    if ids:
        daemon.caisson("rm", "-f", *ids)
    daemon.stop()


def start(daemon, driver, options, script, *flags):
    """A container with this driver; its name."""
    name = f"log-{next(NUMBER)}"
    opts = [word for key, value in options.items() for word in ("--log-opt", f"{key}={value}")]
    daemon.caisson("run", "-d", "--name", name, "--log-driver", driver, *opts, *flags, IMAGE, "sh", "-c", script)
    return name


class Receiver:
    """Takes connections, or datagrams, and keeps what comes."""

    def __init__(self, kind=socket.SOCK_STREAM, port=0, context=None):
        self.kind, self.context = kind, context
        self.listener = socket.socket(socket.AF_INET, kind)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.bytes, self.datagrams, self.open, self.handler = b"", [], [], None
        if kind == socket.SOCK_STREAM:
            self.listener.listen()
        threading.Thread(target=self.accept if kind == socket.SOCK_STREAM else self.receive, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                client = self.context.wrap_socket(client, server_side=True) if self.context else client
            except OSError:
                continue
            self.open.append(client)
            threading.Thread(target=self.read, args=(client,), daemon=True).start()

    def read(self, client):
        try:
            while data := client.recv(65536):
                self.bytes += data
                if self.handler:
                    self.handler(client, data)
        except OSError:
            pass

    def receive(self):
        try:
            while True:
                self.datagrams.append(self.listener.recv(65536))
        except OSError:
            pass

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept() would keep it open
        except OSError:
            pass
        self.listener.close()
        for client in self.open:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            client.close()


@pytest.fixture
def receiver():
    made = []

    def make(*args, **more):
        made.append(Receiver(*args, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


# -- local and json-file ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_readable_drivers_answer_all_flags(logger, driver):
    name = start(logger, driver, {"labels": "tier", "tag": "{{.Name}}"}, "echo err >&2; sleep 0.3; seq 1 20000; printf no-newline", "--label", "tier=front")
    logger.caisson("wait", name)
    logs = lambda *flags: logger.caisson("logs", *flags, name)
    assert logs().stdout == "".join(f"{i}\n" for i in range(1, 20001)) + "no-newline"
    assert logs().stderr == "err\n"
    assert logs("--tail", "2").stdout.endswith("no-newline")
    stamped = logs("-t", "--tail", "3").stdout.splitlines()
    assert all(line[:4].isdigit() and "Z " in line for line in stamped)
    assert "tier=front" in logs("--details", "--tail", "1").stdout
    middle = logs("-t").stdout.splitlines()[15000].split(" ")[0]
    assert logs("--since", middle).stdout.count("\n") + logs("--until", middle).stdout.count("\n") >= 20000
    shown = json.loads(logger.caisson("inspect", "-f", "{{json .HostConfig.LogConfig}}", name).stdout)
    assert shown == {"Type": driver, "Config": {"labels": "tier", "tag": "{{.Name}}"}}


def test_rotation_is_on_by_default(logger):
    name = start(logger, "json-file", {}, "head -c 60000000 /dev/zero | tr '\\0' x | fold -w 1000")
    logger.caisson("wait", name)
    ident = logger.caisson("inspect", "-f", "{{.Id}}", name).stdout.strip()
    files = list((logger.dir / "data" / "containers" / ident).glob("*-json.log*"))
    assert len(files) >= 3 and all(file.stat().st_size < 21_000_000 for file in files)


def test_none_keeps_nothing(logger):
    name = start(logger, "none", {}, "echo x")
    logger.caisson("wait", name)
    answer = logger.caisson("logs", name, check=False)
    assert answer.returncode == 1 and "configured logging driver does not support reading" in answer.stderr


def test_defaults_of_the_daemon():
    daemon = Daemon(f"log-defaults-{next(NUMBER)}")
    (daemon.dir / "daemon.json").write_text(json.dumps({"log-driver": "local", "log-opts": {"max-size": "10k", "max-file": "2", "compress": "false"}}))
    daemon.start()
    daemon.caisson("run", "--name", "chatty", IMAGE, "seq", "1", "5000")
    assert daemon.caisson("inspect", "-f", "{{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config \"max-size\"}}", "chatty").stdout.strip() == "local 10k"
    lines = daemon.caisson("logs", "chatty").stdout.split()
    assert lines[-1] == "5000" and len(lines) < 5000 and lines == [str(i) for i in range(int(lines[0]), 5001)]
    daemon.caisson("rm", "chatty")
    daemon.stop()
    (daemon.dir / "daemon.json").write_text(json.dumps({"log-driver": "local", "log-opts": {"max-sise": "10k"}}))
    refused = run(BIN / "caissond", "--data-root", daemon.dir / "data", "--exec-root", daemon.dir / "exec", "--pidfile", daemon.dir / "pid",
                  "--config-file", daemon.dir / "daemon.json", "-H", daemon.host, check=False, timeout=20)
    assert refused.returncode != 0 and "unknown log opt 'max-sise'" in refused.stderr + refused.stdout


@pytest.mark.parametrize("options, words", [
    ({"log-driver": "splunk"}, "no log driver named 'splunk' is registered"),
    ({"log-driver": "gelf"}, "gelf-address is a required parameter"),
    ({"log-driver": "json-file", "tag": "{{.Nme}}"}, "no field .Nme"),
])
def test_wrong_options_are_refused_at_create(logger, options, words):
    driver = options.pop("log-driver")
    opts = [word for key, value in options.items() for word in ("--log-opt", f"{key}={value}")]
    answer = logger.caisson("create", "--log-driver", driver, *opts, IMAGE, "true", check=False)
    assert answer.returncode != 0 and words in answer.stderr


# -- syslog, by rsyslog -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory):
    home = tmp_path_factory.mktemp("rsyslog")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", home / "key.pem", "-out", home / "cert.pem")
    (home / "conf").write_text(f"""
global(workDirectory="{home}" maxMessageSize="64k" DefaultNetstreamDriverCAFile="{home}/cert.pem" DefaultNetstreamDriverCertFile="{home}/cert.pem" DefaultNetstreamDriverKeyFile="{home}/key.pem")
module(load="imudp") module(load="imuxsock" SysSock.Use="off")
module(load="imptcp") module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="all" type="string" string="%syslogfacility-text%|%syslogseverity-text%|%programname%|%msg%\\n")
input(type="imudp" address="127.0.0.1" port="5514")
input(type="imptcp" address="127.0.0.1" port="5515")
input(type="imtcp" address="127.0.0.1" port="6514")
input(type="imuxsock" Socket="{home}/log.sock" CreatePath="on")
*.* action(type="omfile" file="{home}/out" template="all" flushInterval="1" asyncWriting="off")
""")

    class Server:
        dir, process = home, None

        def start(self):
            self.process = subprocess.Popen(["rsyslogd", "-n", "-f", home / "conf", "-i", home / "pid"], stderr=open(home / "err", "w"))
            wait_until(lambda: self.listens(5515) and self.listens(6514), f"rsyslogd listens: {(home / 'err').read_text()}")

        def listens(self, port):
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        def stop(self):
            self.process.terminate()
            self.process.wait()

        def lines(self, tag):
            text = (home / "out").read_text(errors="replace") if (home / "out").exists() else ""
            return [line.split("|", 3) for line in text.splitlines() if f"|{tag}|" in line]

    server = Server()
    server.start()
    yield server
    server.stop()


# rsyslog expects no host from a unix socket: there only docker's default form is read as it is meant.
@pytest.mark.parametrize("address, form", [("unixgram://{dir}/log.sock", "")] + list(itertools.product(
    ["udp://127.0.0.1:5514", "tcp://127.0.0.1:5515", "tcp+tls://localhost:6514"], ["", "rfc3164", "rfc5424", "rfc5424micro"])))
def test_syslog(logger, rsyslog, address, form):
    tag = f"t{next(NUMBER)}"
    options = {"syslog-address": address.format(dir=rsyslog.dir), "syslog-facility": "local3", "tag": tag}
    if form:
        options["syslog-format"] = form
    if "tls" in address:
        options["syslog-tls-ca-cert"] = rsyslog.dir / "cert.pem"
    name = start(logger, "syslog", options, "for i in 1 2 3; do echo line $i; done; echo bad >&2")
    logger.caisson("wait", name)
    lines = wait_until(lambda: len(rsyslog.lines(tag)) == 4 and rsyslog.lines(tag), f"rsyslog has all from {address} {form}")
    assert [(line[0], line[1], line[3].strip()) for line in lines if line[1] == "info"] == [("local3", "info", f"line {i}") for i in (1, 2, 3)]
    assert [line[3].strip() for line in lines if line[1] == "err"] == ["bad"]
    assert logger.caisson("logs", name).stdout == "line 1\nline 2\nline 3\n", "the copy can be read"


def test_syslog_tls_checks_the_certificate(logger, rsyslog):
    answer = logger.caisson("run", "--log-driver", "syslog", "--log-opt", "syslog-address=tcp+tls://localhost:6514", IMAGE, "true", check=False)
    assert answer.returncode != 0 and "failed to initialize logging driver" in answer.stderr
    name = start(logger, "syslog", {"syslog-address": "tcp+tls://localhost:6514", "syslog-tls-skip-verify": "true", "tag": "unverified"}, "echo hi")
    logger.caisson("wait", name)
    wait_until(lambda: rsyslog.lines("unverified"), "skip-verify")


def test_a_receiver_that_is_not_there_is_an_error_of_the_start(logger):
    answer = logger.caisson("run", "--name", "nobody", "--log-driver", "syslog", "--log-opt", "syslog-address=tcp://127.0.0.1:9", IMAGE, "true", check=False)
    assert answer.returncode != 0
    assert "failed to initialize logging driver: dial tcp 127.0.0.1:9: connect: Connection refused" in answer.stderr
    assert logger.caisson("inspect", "-f", "{{.State.Status}}", "nobody").stdout.strip() == "created"
    logger.caisson("rm", "nobody")


def test_a_receiver_that_is_started_anew_loses_nothing_that_came_after(logger, receiver):
    first = receiver()
    name = start(logger, "syslog", {"syslog-address": f"tcp://127.0.0.1:{first.port}", "tag": "again"}, "i=0; while test $i -lt 40; do i=$((i+1)); echo n $i; sleep 0.1; done")
    wait_until(lambda: b"n 5\n" in first.bytes, "lines come")
    first.close()
    time.sleep(1)
    second = receiver(port=first.port)
    logger.caisson("wait", name)
    wait_until(lambda: b"n 40\n" in second.bytes, "lines come again")
    got = [int(line.split(b"n ")[1]) for line in second.bytes.splitlines()]
    assert got == list(range(got[0], 41)), "in order, without a gap"
    assert got[0] <= 20, "those that were written meanwhile came, too"


# -- journald -----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def journald():
    """systemd-journald of our own: these tests run in a mount namespace of their own."""
    for path in ("/run/systemd", "/run/log/journal"):
        os.makedirs(path, exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", path)
    os.makedirs("/run/systemd/journal")
    process = subprocess.Popen(["/lib/systemd/systemd-journald"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists("/run/systemd/journal/socket"), "journald listens")
    yield process
    process.terminate()
    process.wait()
    for path in ("/run/systemd", "/run/log/journal"):
        run("umount", "-l", path)


def journal(name):
    text = run("journalctl", "-D", "/run/log/journal", "-o", "json", "--all", f"CONTAINER_NAME={name}", check=False).stdout
    return [json.loads(line) for line in text.splitlines()]


def test_journald(logger, journald):
    name = start(logger, "journald", {"tag": "{{.ImageName}}", "env": "COLOR", "labels-regex": "^ti"},
                 "echo one; echo two >&2; head -c 20000 /dev/zero | tr '\\0' x; echo", "-e", "COLOR=red", "--label", "tier=back")
    logger.caisson("wait", name)
    entries = wait_until(lambda: len(journal(name)) == 4 and journal(name), "the journal has all")
    ident = logger.caisson("inspect", "-f", "{{.Id}}", name).stdout.strip()
    one = next(entry for entry in entries if entry["MESSAGE"] == "one")
    for field, value in {"PRIORITY": "6", "CONTAINER_ID": ident[:12], "CONTAINER_ID_FULL": ident, "CONTAINER_TAG": IMAGE, "IMAGE_NAME": IMAGE,
                         "SYSLOG_IDENTIFIER": IMAGE, "COLOR": "red", "TIER": "back"}.items():
        assert one[field] == value, field
    assert next(entry for entry in entries if entry["MESSAGE"] == "two")["PRIORITY"] == "3"
    pieces = [entry for entry in entries if "CONTAINER_PARTIAL_ID" in entry]
    assert [(piece["CONTAINER_PARTIAL_ORDINAL"], piece["CONTAINER_PARTIAL_LAST"], len(piece["MESSAGE"])) for piece in pieces] == [("1", "false", 16384), ("2", "true", 3616)]
    assert pieces[0]["CONTAINER_PARTIAL_MESSAGE"] == "true"
    assert logger.caisson("logs", name).stdout.startswith("one\n")


# -- fluentd ------------------------------------------------------------------------------------------------------

def unpacked(data):
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    unpacker.feed(data)
    return list(unpacker)


def test_fluentd(logger, receiver):
    peer = receiver()
    name = start(logger, "fluentd", {"fluentd-address": f"127.0.0.1:{peer.port}", "tag": "docker.{{.Name}}", "env": "COLOR", "fluentd-sub-second-precision": "true"},
                 "echo one; echo two >&2; head -c 20000 /dev/zero | tr '\\0' x; echo", "-e", "COLOR=red")
    logger.caisson("wait", name)
    events = wait_until(lambda: len(unpacked(peer.bytes)) == 4 and unpacked(peer.bytes), "all events come")
    tag, moment, record = next(event for event in events if event[2]["log"] == "one")
    ident = logger.caisson("inspect", "-f", "{{.Id}}", name).stdout.strip()
    assert tag == f"docker.{name}"
    assert record == {"container_id": ident, "container_name": "/" + name, "source": "stdout", "log": "one", "COLOR": "red"}
    assert moment.code == 0 and abs(int.from_bytes(moment.data[:4], "big") - time.time()) < 600
    assert next(event for event in events if event[2]["log"] == "two")[2]["source"] == "stderr"
    pieces = [event[2] for event in events if "partial_message" in event[2]]
    assert [(piece["partial_ordinal"], piece["partial_last"]) for piece in pieces] == [("1", "false"), ("2", "true")]


def test_fluentd_acknowledgements(logger, receiver):
    peer = receiver()
    sent = []

    def acknowledge(client, data):
        for event in unpacked(data):
            sent.append(event)
            client.sendall(msgpack.packb({"ack": event[3]["chunk"]}))

    peer.handler = acknowledge
    name = start(logger, "fluentd", {"fluentd-address": f"tcp://127.0.0.1:{peer.port}", "fluentd-request-ack": "true"}, "seq 1 50")
    logger.caisson("wait", name)
    wait_until(lambda: len(sent) == 50, "each is acknowledged before the next is sent")
    assert [event[2]["log"] for event in sent] == [str(i) for i in range(1, 51)]


def test_fluentd_async_starts_before_its_receiver(logger, receiver):
    probe = receiver()
    port = probe.port
    probe.close()
    time.sleep(0.1)
    refused = logger.caisson("run", "--log-driver", "fluentd", "--log-opt", f"fluentd-address=127.0.0.1:{port}", IMAGE, "true", check=False)
    assert refused.returncode != 0 and "failed to initialize logging driver" in refused.stderr
    name = start(logger, "fluentd", {"fluentd-address": f"127.0.0.1:{port}", "fluentd-async": "true", "fluentd-retry-wait": "100ms"}, "seq 1 100; sleep 2")
    peer = receiver(port=port)
    wait_until(lambda: len(unpacked(peer.bytes)) == 100, "what was written before comes")
    logger.caisson("rm", "-f", name)


# -- GELF ---------------------------------------------------------------------------------------------------------

def gelf_messages(datagrams, unpack):
    chunks, whole = {}, []
    for datagram in list(datagrams):
        if datagram[:2] != b"\x1e\x0f":
            whole.append(datagram)
            continue
        parts = chunks.setdefault(datagram[2:10], {})
        parts[datagram[10]] = datagram[12:]
        if len(parts) == datagram[11]:
            whole.append(b"".join(parts[i] for i in range(datagram[11])))
    return [json.loads(unpack(one)) for one in whole]


@pytest.mark.parametrize("kind, unpack", [("gzip", gzip.decompress), ("zlib", zlib.decompress), ("none", bytes)])
def test_gelf_udp(logger, receiver, kind, unpack):
    peer = receiver(socket.SOCK_DGRAM)
    name = start(logger, "gelf", {"gelf-address": f"udp://127.0.0.1:{peer.port}", "gelf-compression-type": kind, "labels": "tier"},
                 "echo one; echo two >&2; head -c 9000 /dev/urandom | base64 | tr -d '\\n'; echo", "--label", "tier=front")
    logger.caisson("wait", name)
    messages = wait_until(lambda: len(gelf_messages(peer.datagrams, unpack)) == 3 and gelf_messages(peer.datagrams, unpack), "all come, the last in chunks")
    one = next(message for message in messages if message["short_message"] == "one")
    ident = logger.caisson("inspect", "-f", "{{.Id}}", name).stdout.strip()
    assert (one["version"], one["level"], one["_container_id"], one["_container_name"], one["_tier"], one["_tag"]) == ("1.1", 6, ident, name, "front", ident[:12])
    assert {message["level"] for message in messages if message["short_message"] == "two"} == {3}
    assert any(len(message["short_message"]) == 12000 for message in messages)


def test_gelf_tcp(logger, receiver):
    peer = receiver()
    name = start(logger, "gelf", {"gelf-address": f"tcp://127.0.0.1:{peer.port}"}, "seq 1 1000")
    logger.caisson("wait", name)
    wait_until(lambda: peer.bytes.count(b"\0") == 1000, "each ends in a NUL")
    assert [json.loads(part)["short_message"] for part in peer.bytes.split(b"\0")[:-1]] == [str(i) for i in range(1, 1001)]


# -- copies, slow receivers, deaths -------------------------------------------------------------------------------

def test_the_copy_can_be_switched_off(logger, receiver):
    peer = receiver()
    name = start(logger, "gelf", {"gelf-address": f"tcp://127.0.0.1:{peer.port}", "cache-disabled": "true"}, "echo x")
    logger.caisson("wait", name)
    answer = logger.caisson("logs", name, check=False)
    assert answer.returncode == 1 and "configured logging driver does not support reading" in answer.stderr


class Stuck:
    """Takes connections and reads nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.open.append(self.listener.accept()[0])
        except OSError:
            pass


def test_a_slow_receiver_holds_back_only_in_blocking_mode(logger):
    script = "seq 1 2000000; touch /tmp/done; sleep 1000"
    done = lambda name: logger.caisson("exec", name, "test", "-e", "/tmp/done", check=False).returncode == 0
    stuck = Stuck()
    free = start(logger, "gelf", {"gelf-address": f"tcp://127.0.0.1:{stuck.port}", "mode": "non-blocking", "max-buffer-size": "64k"}, script)
    wait_until(lambda: done(free), "it is not held back", seconds=60)
    held = start(logger, "gelf", {"gelf-address": f"tcp://127.0.0.1:{stuck.port}"}, script)
    time.sleep(3)
    assert not done(held)
    logger.caisson("rm", "-f", free, held, timeout=60)


def test_lines_go_on_while_no_daemon_lives(logger, receiver):
    peer = receiver()
    name = start(logger, "gelf", {"gelf-address": f"tcp://127.0.0.1:{peer.port}"}, "i=0; while test $i -lt 30; do i=$((i+1)); echo $i; sleep 0.1; done")
    wait_until(lambda: peer.bytes.count(b"\0") > 3, "lines come")
    logger.kill()
    wait_until(lambda: peer.bytes.count(b"\0") == 30, "all lines come without a daemon")
    logger.start()
    assert logger.caisson("logs", name).stdout == "".join(f"{i}\n" for i in range(1, 31))


def test_a_killed_forwarder_is_replaced(logger, receiver):
    peer = receiver()
    name = start(logger, "gelf", {"gelf-address": f"tcp://127.0.0.1:{peer.port}"}, "i=0; while test $i -lt 60; do i=$((i+1)); echo $i; sleep 0.1; done")
    wait_until(lambda: peer.bytes.count(b"\0") > 3, "lines come")
    forwarders = [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit() and (path / "comm").read_text().strip() == "caisson-log"
                  and f":{peer.port}".encode() or False]
    mine = [pid for pid in forwarders if any(os.readlink(fd).startswith("socket:") for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir())]
    for pid in mine:
        os.kill(pid, signal.SIGKILL)
    logger.caisson("wait", name)
    wait_until(lambda: b"\"short_message\":\"60\"" in peer.bytes, "another one goes on")
    got = [int(json.loads(part)["short_message"]) for part in peer.bytes.split(b"\0")[:-1]]
    assert len(got) >= 58, "at most what it had in hand is lost"
    assert logger.caisson("logs", name).stdout == "".join(f"{i}\n" for i in range(1, 61))
