"""Manifest lists: made by docker's client and by ours, equal to the byte."""
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import urllib.request

import docker as docker_py
import pytest

from conftest import BIN, DOCKERS, Cli

OCI = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json",
       "application/vnd.oci.image.layer.v1.tar+gzip")
DOCKER = ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.container.image.v1+json",
          "application/vnd.docker.image.rootfs.diff.tar.gzip")


def call(method, url, data=None, **headers):
    request = urllib.request.Request(url, data=data, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return urllib.request.urlopen(request)


def put_blob(registry, repository, data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    location = call("POST", f"http://{registry}/v2/{repository}/blobs/uploads/", b"").headers["Location"]
    call("PUT", f"{location}&digest={digest}", data, Content_Type="application/octet-stream")
    return digest


def put_image(registry, repository, tag, architecture, types):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as out:
        info = tarfile.TarInfo("arch")
        info.size = len(architecture)
        out.addfile(info, io.BytesIO(architecture.encode()))
    layer = gzip.compress(tar.getvalue(), mtime=0)
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {"Cmd": ["/arch"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar.getvalue()).hexdigest()]}}).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": types[0],
        "config": {"mediaType": types[1], "digest": put_blob(registry, repository, config), "size": len(config)},
        "layers": [{"mediaType": types[2], "digest": put_blob(registry, repository, layer), "size": len(layer)}]}).encode()
    call("PUT", f"http://{registry}/v2/{repository}/manifests/{tag}", manifest, Content_Type=types[0])
    return manifest


@pytest.fixture(scope="module", params=[OCI, DOCKER], ids=["oci", "docker"])
def images(request, registry):
    name = f"lists/{request.node.name[-4:].strip('[]')}{len(request.param[0])}"
    for architecture in ("amd64", "arm64"):
        put_image(registry, name, architecture, architecture, request.param)
    return name


@pytest.fixture
def clean(daemon):
    yield daemon
    shutil.rmtree(daemon.dir / ".docker", ignore_errors=True)


def test_a_list_is_made_annotated_and_pushed_as_docker_does(clean, daemon, registry, images):
    said = []
    newest = [path for path in DOCKERS if "local" in path]
    if not newest:
        pytest.skip("no docker CLI 28 here")
    for path in (newest[0], str(BIN / "caisson")):
        client = Cli(path, daemon)
        listed, amd, arm = (f"{registry}/{images}:{tag}" for tag in ("list", "amd64", "arm64"))
        other = f"{registry}/elsewhere/{images}:list"
        rows = []
        for argv in [
            ["inspect", "--insecure", amd], ["inspect", "--insecure", "-v", amd],
            ["create", "--insecure", listed, amd, arm], ["create", "--insecure", listed, amd],
            ["annotate", "--arch", "arm64", "--os", "linux", "--variant", "v8", listed, arm],
            ["annotate", "--os", "plan7", listed, arm], ["annotate", "--os", "linux", listed, f"{amd}x"],
            ["inspect", listed], ["inspect", "-v", listed], ["inspect", listed, arm], ["inspect", listed, f"{amd}x"],
            ["push", "--insecure", listed], ["rm", listed], ["rm", listed],
            ["inspect", "--insecure", listed], ["inspect", "--insecure", "-v", listed],
            ["create", "--insecure", other, amd, arm], ["push", "--insecure", "--purge", other],
            ["inspect", "--insecure", other], ["create", "--insecure", other, listed],
            ["push", f"{registry}/none:1"], ["inspect", "--insecure", f"{registry}/none:1"],
            ["create", "--insecure", f"{registry}/x:list", "BAD"],
        ]:
            done = client("manifest", *argv, check=False)
            rows.append((argv, done.returncode, done.stdout, done.stderr))
        said.append(rows)
        shutil.rmtree(daemon.dir / ".docker", ignore_errors=True)
    for theirs, ours in zip(*said):
        assert theirs == ours


def test_each_client_goes_on_with_what_the_other_began(clean, daemon, registry, images):
    newest = [path for path in DOCKERS if "local" in path]
    if not newest:
        pytest.skip("no docker CLI 28 here")
    docker, ours = Cli(newest[0], daemon), Cli(str(BIN / "caisson"), daemon)
    listed = f"{registry}/{images}:both"
    docker("manifest", "create", "--insecure", listed, f"{registry}/{images}:amd64")
    ours("manifest", "create", "--amend", listed, f"{registry}/{images}:arm64")
    assert docker("manifest", "inspect", listed).stdout == ours("manifest", "inspect", listed).stdout
    ours("manifest", "push", listed)
    ours("pull", listed)
    assert json.loads(ours("image", "inspect", listed).stdout)[0]["Architecture"] == "amd64"
    ours("rmi", listed)


def test_distribution_inspect(daemon, registry, images):
    client = docker_py.DockerClient(base_url=daemon.host, version="auto")
    data = client.images.get_registry_data(f"{registry}/{images}:amd64")
    assert data.id.startswith("sha256:")
    assert data.attrs["Descriptor"]["size"] > 0
    assert data.attrs["Platforms"] == [{"architecture": "amd64", "os": "linux"}]
    with pytest.raises(docker_py.errors.NotFound, match="manifest unknown"):
        client.images.get_registry_data(f"{registry}/{images}:none")
