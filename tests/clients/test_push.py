"""Images pushed to a real registry, by the stock clients and by ours."""
import json
import subprocess

import docker as docker_py
import pytest


def inspect(reference):
    out = subprocess.run(["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{reference}"], capture_output=True, check=True)
    return json.loads(out.stdout)


@pytest.fixture
def tagged(daemon, registry):
    """busybox under names of the registry; they go again."""
    given = []

    def give(name, tag="1"):
        reference = f"{registry}/{name}:{tag}"
        if not given:
            daemon.caisson("run", "--rm", "busybox", "true")
        daemon.caisson("tag", "busybox", reference)
        given.append(reference)
        return reference

    yield give
    for reference in given:
        daemon.caisson("rmi", reference, check=False)


def test_docker_pushes_and_another_repository_mounts(docker, daemon, registry, tagged, request):
    who = request.node.callspec.id
    reference = tagged(f"push/{who}")
    out = docker("push", reference).stdout
    assert f"The push refers to repository [{registry}/push/{who}]" in out
    assert "digest: sha256:" in out
    digest = out.split("digest: ")[1].split()[0]
    assert any(text.endswith("@" + digest) for text in json.loads(docker("inspect", reference).stdout)[0]["RepoDigests"])
    # The same manifest, byte for byte, is what the registry gives.
    raw = subprocess.run(["skopeo", "inspect", "--tls-verify=false", f"docker://{reference}"], capture_output=True, check=True)
    assert json.loads(raw.stdout)["Digest"] == digest
    assert "Layer already exists" in docker("push", reference).stdout
    other = tagged(f"push2/{who}")
    assert f"Mounted from push/{who}" in docker("push", other).stdout


def test_what_was_pushed_is_pulled_again(daemon, registry, tagged):
    reference = tagged("again/busybox")
    before = json.loads(daemon.caisson("image", "inspect", reference).stdout)[0]["Id"]
    assert daemon.caisson("push", "-q", reference).stdout.strip() == reference
    daemon.caisson("rmi", reference)
    daemon.caisson("pull", reference)
    assert json.loads(daemon.caisson("image", "inspect", reference).stdout)[0]["Id"] == before
    assert inspect(reference)["config"]["digest"] == before
    # A copy by somebody else keeps the digest.
    subprocess.run(["skopeo", "copy", "-q", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false",
                    f"docker://{reference}", f"docker://{registry}/again/copy:1"], check=True)
    assert inspect(f"{registry}/again/copy:1") == inspect(reference)


def test_all_tags(daemon, registry, tagged):
    first, second = tagged("many/tags", "a"), tagged("many/tags", "b")
    name = first.rsplit(":", 1)[0]
    out = daemon.caisson("push", "--all-tags", name).stdout
    assert "a: digest:" in out and "b: digest:" in out
    assert inspect(first) == inspect(second)
    assert daemon.caisson("push", "-a", first, check=False).returncode == 1


def test_a_tag_that_is_not_there(docker, registry):
    done = docker("push", f"{registry}/not/here:1", check=False)
    assert done.returncode == 1
    assert "does not exist" in done.stderr


def test_an_unreachable_registry_is_named(docker, daemon, tagged):
    daemon.caisson("tag", "busybox", "127.0.0.1:1/x:1")
    try:
        done = docker("push", "127.0.0.1:1/x:1", check=False)
        assert done.returncode == 1
        assert "connection refused" in done.stderr
    finally:
        daemon.caisson("rmi", "127.0.0.1:1/x:1")


def test_docker_py_pushes(daemon, registry, tagged):
    reference = tagged("py/busybox")
    client = docker_py.DockerClient(base_url=daemon.host, version="auto")
    lines = list(client.images.push(reference.rsplit(":", 1)[0], tag="1", stream=True, decode=True))
    aux = [line["aux"] for line in lines if "aux" in line]
    assert aux and aux[0]["Tag"] == "1" and aux[0]["Digest"].startswith("sha256:") and aux[0]["Size"] > 0
