"""Clients that are slow, many, cut off or malicious: bounded memory, and others are served meanwhile."""
import json
import resource
import socket
import threading
import time
import urllib.request

import pytest

from conftest import Daemon, wait_until
from test_api_versions import call

METRICS = "127.0.0.1:19324"
MIB = 1 << 20


@pytest.fixture(scope="module")
def daemon():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    daemon = Daemon("hostile", "--metrics-addr", METRICS).start()
    daemon.caisson("run", "-d", "--name", "target", "busybox", "sleep", "100000")
    yield daemon
    daemon.caisson("rm", "-f", "target", check=False)
    daemon.stop()


def memory(daemon):
    """Resident bytes that are the daemon's own."""
    for line in open(f"/proc/{daemon.process.pid}/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def metric(name):
    with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=60) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    raise AssertionError(name)


def connect(daemon, timeout=60):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(daemon.socket))  # blocks while the backlog is full; with a time limit it would fail then
    client.settimeout(timeout)
    return client


def others_are_served(daemon):
    assert call(daemon.socket, "GET", "/_ping")[1] == b"OK"
    assert json.loads(call(daemon.socket, "GET", "/containers/target/json")[1])["State"]["Running"] is True


def rest_of(client):
    data = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionError:
            return data
        if not piece:
            return data
        data += piece


def test_a_gigabyte_of_headers(daemon):
    before = memory(daemon)
    for shape in (b"X-Long: %s", b"X-%d: many\r\n"):
        client = connect(daemon)
        sent = 0
        try:
            client.sendall(b"GET /info HTTP/1.1\r\nHost: x\r\n")
            piece = b"x" * MIB if b"%s" in shape else b"".join(b"X-%d: many\r\n" % i for i in range(60000))
            if b"%s" in shape:
                client.sendall(b"X-Long: ")
            while sent < 1 << 30:
                client.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 64 * MIB, "the daemon goes on reading what it will not take"
        answer = rest_of(client)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431 "), answer[:200]
        client.close()
    others_are_served(daemon)
    assert memory(daemon) < before + 16 * MIB


def test_slow_heads_hold_no_thread(daemon):
    before = memory(daemon)
    threads = metric("caisson_api_threads")
    slow = [connect(daemon) for _ in range(1500)]
    for round in range(3):
        for client in slow:
            client.sendall(b"GET /info HTTP/1.1\r\n"[round * 4:round * 4 + 4])
    others_are_served(daemon)
    assert metric("caisson_api_connections") >= 1500
    assert memory(daemon) < before + 64 * MIB
    wait_until(lambda: metric("caisson_api_threads") <= threads + 16, "a connection that has not asked yet has no thread", 60)
    assert metric("caisson_api_connections") >= 1500, "they are still there"
    for client in slow:
        client.close()
    wait_until(lambda: metric("caisson_api_connections") < 100, "what is closed is forgotten", 60)


def test_ten_thousand_connections(daemon):
    before = memory(daemon)
    clients = []
    try:
        for i in range(10000):
            client = connect(daemon)
            clients.append(client)
            if i % 2000 == 0:
                client.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"200 OK" in client.recv(4096)
        others_are_served(daemon)
        assert memory(daemon) < before + 128 * MIB
    finally:
        for client in clients:
            client.close()
    others_are_served(daemon)
    wait_until(lambda: metric("caisson_api_connections") < 100, "what is closed is forgotten", 60)


def test_two_thousand_requests_that_wait(daemon):
    """wait, events and logs -f: a thread each, which come and go; nobody else waits for them."""
    before = memory(daemon)
    targets = ["POST /containers/target/wait", "GET /events", "GET /containers/target/logs?stdout=1&follow=1"]
    clients = []
    for i in range(2000):
        client = connect(daemon)
        client.sendall(f"{targets[i % 3]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        clients.append(client)
    for client in clients:
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK"), "each is accepted at once"
    assert metric("caisson_api_busy") >= 2000
    began = time.process_time()
    others_are_served(daemon)
    daemon.caisson("run", "--rm", "busybox", "true")
    assert memory(daemon) < before + 2000 * 64 * 1024, "64 KiB each is far more than they need"
    for client in clients:
        client.close()
    wait_until(lambda: metric("caisson_api_busy") < 10, "those whose clients went end", 60)
    wait_until(lambda: metric("caisson_api_threads") < 100, "and so do their threads", 60)
    others_are_served(daemon)
    assert time.process_time() - began < 60


@pytest.mark.parametrize("body, status", [
    (b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"Im", None),
    (b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"Ima\r\n", None),
    (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    (b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", b"400"),
    (b"Content-Length: 100\r\n\r\n{\"Image\":", None),
    (b"Content-Length: -1\r\n\r\n", b"400"),
    (b"Content-Length: 99999999999999999999999\r\n\r\n", b"400"),
    (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"400"),
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    (b"Content-Length: 17000000\r\n\r\n" + b" " * 17000000, b"400"),
], ids=["cut chunk", "short chunk", "no size", "huge size", "cut body", "negative", "overflow", "two lengths", "length and chunks", "too long"])
def test_broken_bodies(daemon, body, status):
    before = json.loads(call(daemon.socket, "GET", "/containers/json?all=1")[1])
    client = connect(daemon)
    try:
        client.sendall(b"POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + body)
        client.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused before all was said
    answer = rest_of(client)
    if status:
        assert answer == b"" and len(body) > MIB or answer.startswith(b"HTTP/1.1 " + status), answer[:300]
    else:
        assert answer == b"" or answer.split()[1][:1] in (b"4", b"5"), answer[:300]
    assert json.loads(call(daemon.socket, "GET", "/containers/json?all=1")[1]) == before, "nothing was made of it"


@pytest.mark.parametrize("text, message", [
    (b'{"Image": "busybox", "Cmd": ["\xff\xfe"]}', "invalid JSON"),
    (b"[" * 100000 + b"]" * 100000, "invalid JSON"),
    (b'{"Labels": ' * 5000 + b"1" + b"}" * 5000, "invalid JSON"),
    (b'{"Image": "busybox"', "invalid JSON"), (b'{"Image": 1e999999}', ""), (b"", "EOF"), (b"null", "config cannot be empty"),
    (b'{"Image": "busybox"} {}', "unexpected content after JSON"), (b'{"Image": ["busybox"]}', ""), (b'{"HostConfig": {"Memory": "much"}}', ""),
    (b'{"Image": "busybox", "HostConfig": {"Memory": 99999999999999999999999}}', ""), (b"\x00\x01\x02", "invalid JSON"),
], ids=["utf-8", "deep arrays", "deep objects", "cut", "number", "empty", "null", "trailing", "list", "string", "overflow", "binary"])
def test_broken_json(daemon, text, message):
    client = connect(daemon)
    client.sendall(b"POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
    head, _, body = rest_of(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 "), head
    assert message in json.loads(body)["message"]


@pytest.mark.parametrize("filters", ['{"label":', "[]", '{"nope":["x"]}', '{"status":["flying"]}', '{"label":1}', '"x"', "[" * 1000])
def test_broken_filters(daemon, filters):
    import urllib.parse
    answer, data = call(daemon.socket, "GET", "/containers/json?filters=" + urllib.parse.quote(filters))
    assert answer.status == 400 and json.loads(data)["message"], data


def test_readers_that_do_not_read(daemon):
    """An endless answer to somebody who does not read it waits, and costs nothing."""
    daemon.caisson("run", "-d", "--name", "spew", "busybox", "sh", "-c", "yes 0123456789012345678901234567890123456789 | head -c 30000000; sleep 1000")
    wait_until(lambda: len(call(daemon.socket, "GET", "/containers/spew/logs?stdout=1&tail=1")[1]) > 0, "it has written")
    before = memory(daemon)
    stuck = []
    for _ in range(50):
        client = connect(daemon)
        client.sendall(b"GET /containers/spew/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        stuck.append(client)
    for client in stuck:
        assert client.recv(16)
    others_are_served(daemon)
    assert memory(daemon) < before + 64 * MIB
    for client in stuck:
        client.close()
    daemon.caisson("rm", "-f", "spew")


def test_attach_by_websocket(daemon):
    import base64
    import os

    def frame(opcode, payload):
        mask = os.urandom(4)
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        return bytes([0x80 | opcode]) + size + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    def upgrade(target, **more):
        client = connect(daemon)
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **more}
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        return client, head

    def messages(client, until):
        data, text = b"", b""
        while until not in text:
            piece = client.recv(65536)
            assert piece, text
            data += piece
            while len(data) >= 2:
                size, at = data[1] & 127, 2
                if size == 126:
                    size, at = int.from_bytes(data[2:4], "big"), 4
                if len(data) < at + size:
                    break
                if data[0] & 15 in (1, 2):
                    text += data[at:at + size]
                elif data[0] & 15 == 8:
                    return text
                data = data[at + size:]
        return text

    daemon.caisson("create", "--name", "socket", "-i", "busybox", "sh", "-c", "while read line; do echo got $line; done; echo over")
    client, head = upgrade("/v1.44/containers/socket/attach/ws?stream=1&stdin=1&stdout=1&stderr=1")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n") and b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    daemon.caisson("start", "socket")
    client.sendall(frame(1, b"one\n") + frame(9, b"ping"))
    assert b"got one\n" in messages(client, b"got one\n")
    client.sendall(frame(2, b"two\n"))
    assert messages(client, b"got two\n").endswith(b"got two\n")
    daemon.caisson("kill", "socket")
    assert messages(client, b"never") is not None, "the close frame comes"
    client.close()
    daemon.caisson("rm", "-f", "socket")
    assert upgrade("/containers/none/attach/ws")[1].startswith(b"HTTP/1.1 404 ")
    for wrong in ({"Upgrade": "tcp"}, {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": "short"}, {"Connection": "close"}):
        assert upgrade("/containers/target/attach/ws?stream=1&stdout=1", **wrong)[1].startswith(b"HTTP/1.1 400 "), wrong
    # One that breaks the protocol is sent away, and the container does not care.
    client, _ = upgrade("/containers/target/attach/ws?stream=1&stdout=1")
    client.sendall(b"\x82\x01x")
    assert b"\x88\x02\x03\xea" in rest_of(client)
    others_are_served(daemon)
