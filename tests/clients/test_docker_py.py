"""docker-py, unmodified."""
import docker
import pytest

IMAGE = "busybox"


@pytest.fixture(scope="module")
def client(daemon):
    daemon.caisson("run", "--rm", IMAGE, "true")
    client = docker.DockerClient(base_url=daemon.host, version="auto")
    yield client
    client.close()


def test_system(client):
    assert client.ping()
    assert client.version()["Os"] == "linux"
    assert client.info()["OSType"] == "linux"


def test_run_and_logs(client):
    assert client.containers.run(IMAGE, ["echo", "hi"], remove=True) == b"hi\n"
    with pytest.raises(docker.errors.ContainerError) as failure:
        client.containers.run(IMAGE, ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
    assert failure.value.exit_status == 3 and b"bad" in failure.value.stderr
    with pytest.raises(docker.errors.NotFound):
        client.containers.get("no-such-container")


def test_the_life_of_a_container(client):
    container = client.containers.create(IMAGE, ["sh", "-c", "echo started; sleep 1000"], name="py-life", labels={"k": "v"}, mem_limit="64m")
    try:
        assert container.status == "created"
        container.start()
        container.reload()
        assert container.status == "running"
        assert container.attrs["HostConfig"]["Memory"] == 64 << 20
        assert [c.name for c in client.containers.list(filters={"label": "k=v"})] == ["py-life"]
        code, output = container.exec_run(["sh", "-c", "echo in; exit 4"])
        assert (code, output) == (4, b"in\n")
        code, (out, err) = container.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True)
        assert (out, err) == (b"o\n", b"e\n")
        container.pause()
        container.reload()
        assert container.status == "paused"
        container.unpause()
        container.rename("py-renamed")
        assert "sleep 1000" in str(container.top())
        container.kill()
        assert container.wait()["StatusCode"] == 137
        assert container.logs() == b"started\n"
        container.restart(timeout=0)
        container.stop(timeout=0)
    finally:
        container.remove(force=True)


def test_attach_streams(client):
    container = client.containers.create(IMAGE, ["cat"], stdin_open=True)
    try:
        socket = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        container.start()
        raw = socket._sock
        raw.sendall(b"echoed\n")
        head = raw.recv(8, 0x100)
        assert head == b"\x01\0\0\0\0\0\0\x07"
        assert raw.recv(7, 0x100) == b"echoed\n"
        socket.close()
    finally:
        container.remove(force=True)


def test_images(client):
    image = client.images.get(IMAGE)
    assert image.tag("py-tagged", "1")
    assert "py-tagged:1" in client.images.get("py-tagged:1").tags
    archive = b"".join(client.images.get("py-tagged:1").save(named="py-tagged:1"))
    client.images.remove("py-tagged:1")
    assert "py-tagged:1" in client.images.load(archive)[0].tags
    client.images.remove("py-tagged:1")
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get("py-tagged:1")


def test_events(client):
    since = client.info()["SystemTime"]
    client.containers.run(IMAGE, ["true"], name="py-events", remove=True)
    until = client.info()["SystemTime"]
    seen = [event["Action"] for event in client.events(since=since, until=until, filters={"type": "container", "container": "py-events"}, decode=True)]
    assert [action for action in seen if action in ("create", "attach", "start", "die", "destroy")][0] == "create"
    assert seen.index("start") < seen.index("die") < seen.index("destroy")
