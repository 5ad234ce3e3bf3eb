"""What nobody needs any more is removed, and only that."""
import json

import pytest


@pytest.fixture
def images(daemon):
    daemon.caisson("run", "--rm", "busybox", "true")
    daemon.caisson("run", "--rm", "hello-world")
    yield
    daemon.caisson("rmi", "-f", "extra:1", "extra:2", check=False)


def test_image_prune_takes_what_has_no_name(docker, daemon, images, names):
    out = docker("image", "prune", "-f").stdout
    assert "Total reclaimed space:" in out
    assert docker.out("images", "-q", "busybox")
    assert "invalid filter" in docker("image", "prune", "-f", "--filter", "nonsense=1", check=False).stderr


def test_image_prune_all_spares_what_a_container_uses(docker, daemon, images, names):
    name = names()
    docker("create", "--name", name, "busybox", "true")
    docker("tag", "hello-world", "extra:1")
    out = docker("image", "prune", "-af", "--filter", "label!=keep").stdout
    assert "untagged: extra:1" in out and "deleted: sha256:" in out
    assert docker.out("images", "-q", "busybox") and not docker.out("images", "-q", "hello-world")
    assert "0B" not in out.split("Total reclaimed space:")[1]
    docker("rm", name)


def test_volume_prune(docker, daemon):
    named, anonymous = docker.out("volume", "create", "kept-by-name"), docker.out("volume", "create")
    out = docker("volume", "prune", "-f").stdout
    assert anonymous in out
    old_client = docker.path == "/usr/bin/docker"
    # Clients of before API 1.42 know no difference between the two.
    assert (named in out) == (old_client and "kept-by-name" in out)
    if named not in out:
        assert named in docker("volume", "prune", "-f", "--filter", "all=1").stdout
    assert named not in docker.out("volume", "ls", "-q")


def test_network_prune(docker, daemon, names):
    used, unused = "prune-used", "prune-unused"
    docker("network", "create", used)
    docker("network", "create", "--label", "keep=1", unused)
    name = names()
    docker("run", "-d", "--name", name, "--network", used, "busybox", "sleep", "100")
    assert unused not in docker("network", "prune", "-f", "--filter", "label!=keep").stdout
    out = docker("network", "prune", "-f").stdout
    assert unused in out and used not in out
    docker("rm", "-f", name)
    docker("network", "rm", used)


def test_our_client_prunes(daemon, images):
    daemon.caisson("volume", "create", "ours")
    assert "Total reclaimed space" in daemon.caisson("image", "prune", "-f").stdout
    assert "ours" not in daemon.caisson("volume", "prune", "-f").stdout
    assert "ours" in daemon.caisson("volume", "prune", "-a", "-f").stdout
    daemon.caisson("network", "create", "ours-net")
    assert "Deleted Networks:\nours-net" in daemon.caisson("network", "prune", "-f").stdout
    # A question that nobody answers is a no.
    assert "WARNING! This will remove all dangling images." in daemon.caisson("image", "prune", input="n\n").stdout
    json.loads(daemon.caisson("system", "info", "--format", "{{json .}}").stdout)
