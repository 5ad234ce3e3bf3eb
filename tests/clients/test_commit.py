"""export, diff and commit by docker's own client, by ours, and by docker-py."""
import io
import json
import subprocess
import tarfile
import time

import docker as docker_py
import pytest

IMAGE = "busybox"


@pytest.fixture
def box(daemon, names):
    name = names()
    daemon.caisson("run", "--name", name, "-v", "/volume", "-e", "OLD=1", IMAGE, "sh", "-c",
                   "echo new > /tmp/new; rm /etc/group; echo x > /volume/x; ln -s new /tmp/link; chmod 4755 /tmp/new")
    return name


def test_diff(client, box):
    assert client("diff", box).stdout.splitlines() == ["C /etc", "D /etc/group", "C /tmp", "A /tmp/link", "A /tmp/new", "A /volume"]


def test_export(client, box, tmp_path):
    done = subprocess.run([client.path, "export", box], env=client.daemon.env(), capture_output=True, check=True)
    client("export", "-o", tmp_path / "out.tar", box)
    assert (tmp_path / "out.tar").read_bytes() == done.stdout
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        names = archive.getnames()
        assert "tmp/new" in names and "etc/group" not in names and "volume/x" not in names
        assert archive.getmember("tmp/new").mode == 0o4755
        assert archive.getmember("tmp/link").linkname == "new"
        assert "bin/busybox" in names or "bin/sh" in names


def test_commit(client, box, daemon, names):
    tag = f"made-{names()}:one".lower()
    printed = client.out("commit", "-m", "message", "-a", "author", "-c", "ENV NEW=2", "-c", 'CMD ["cat", "/tmp/new"]', box, tag)
    image = json.loads(client.out("image", "inspect", tag))[0]
    assert image["Id"] == printed
    assert (image["Comment"], image["Author"]) == ("message", "author")
    assert {"OLD=1", "NEW=2"} <= set(image["Config"]["Env"])
    assert image["Config"]["Cmd"] == ["cat", "/tmp/new"]
    assert client.out("run", "--rm", tag) == "new"
    assert client.out("run", "--rm", tag, "stat", "-c", "%a", "/tmp/new") == "4755"
    assert client("run", "--rm", tag, "cat", "/etc/group", check=False).returncode == 1
    second = client.out("commit", box)
    assert client.out("image", "inspect", "-f", "{{len .RepoTags}}", second) == "0"
    refused = client("commit", "-c", "FROM x", box, check=False)
    assert refused.returncode == 1
    assert refused.stderr.strip() == "Error response from daemon: from is not a valid change command"
    client("rmi", tag)
    client("rmi", second)


def test_an_image_made_so_can_be_saved_and_loaded(client, box, daemon, names, tmp_path):
    tag = f"saved-{names()}:one".lower()
    image = client.out("commit", box, tag)
    client("save", "-o", tmp_path / "image.tar", tag)
    client("rmi", tag)
    client("load", "-i", tmp_path / "image.tar")
    assert client.out("image", "inspect", "-f", "{{.Id}}", tag) == image
    assert client.out("run", "--rm", tag, "cat", "/tmp/new") == "new"
    client("rmi", tag)


def test_a_running_container_is_paused_meanwhile(daemon, names):
    name = names()
    daemon.caisson("run", "-d", "--name", name, IMAGE, "sleep", "1000")
    since = time.time()
    image = daemon.caisson("commit", name).stdout.strip()
    actions = daemon.caisson("events", "--since", str(since), "--until", str(time.time()), "--filter", f"container={name}",
                             "--format", "{{.Action}}").stdout.split()
    assert actions == ["pause", "commit", "unpause"]
    assert daemon.caisson("inspect", "-f", "{{.State.Status}}", name).stdout.strip() == "running"
    daemon.caisson("rmi", image)


def test_docker_py(daemon, box):
    client = docker_py.DockerClient(base_url=daemon.host)
    container = client.containers.get(box)
    assert {"Path": "/etc/group", "Kind": 2} in container.diff()
    data = b"".join(container.export())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.extractfile("tmp/new").read() == b"new\n"
    image = container.commit(repository="by-docker-py", tag="x", message="m", changes="LABEL a=b", conf={"User": "nobody"})
    assert image.labels["a"] == "b"
    assert image.attrs["Config"]["User"] == "nobody"
    client.images.remove("by-docker-py:x")
    with pytest.raises(docker_py.errors.NotFound):
        client.api.commit("nobody-there")
    with pytest.raises(docker_py.errors.NotFound):
        list(client.api.export("nobody-there"))
