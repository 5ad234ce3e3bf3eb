"""Images for several platforms: pulled, listed, saved, pushed; and what other tools make of them."""
import http.client
import json
import platform
import socket
import subprocess
import urllib.parse

import pytest

from conftest import BIN
from test_manifest import DOCKER, OCI, call, put_blob, put_image

HOST = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
OTHER = "arm64" if HOST == "amd64" else "amd64"


def put_index(registry, repository, tag, types, attest=False):
    index_type = ("application/vnd.oci.image.index.v1+json" if types is OCI
                  else "application/vnd.docker.distribution.manifest.list.v2+json")
    manifests = []
    for architecture in (HOST, OTHER):
        data = put_image(registry, repository, architecture, architecture, types)
        manifests.append({"mediaType": types[0], "digest": put_digest(data), "size": len(data),
                          "platform": {"architecture": architecture, "os": "linux"}})
    if attest:
        statement = json.dumps({"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": {"who": "test"}}).encode()
        config = b"{}"
        data = json.dumps({"schemaVersion": 2, "mediaType": OCI[0],
                           "config": {"mediaType": OCI[1], "digest": put_blob(registry, repository, config), "size": 2},
                           "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": put_blob(registry, repository, statement),
                                       "size": len(statement), "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}]}).encode()
        call("PUT", f"http://{registry}/v2/{repository}/manifests/{put_digest(data)}", data, Content_Type=OCI[0])
        manifests.append({"mediaType": OCI[0], "digest": put_digest(data), "size": len(data),
                          "platform": {"architecture": "unknown", "os": "unknown"},
                          "annotations": {"vnd.docker.reference.type": "attestation-manifest",
                                          "vnd.docker.reference.digest": manifests[0]["digest"]}})
    body = json.dumps({"schemaVersion": 2, "mediaType": index_type, "manifests": manifests}).encode()
    call("PUT", f"http://{registry}/v2/{repository}/manifests/{tag}", body, Content_Type=index_type)
    return body


def put_digest(data):
    import hashlib
    return "sha256:" + hashlib.sha256(data).hexdigest()


def api(daemon, path):
    connection = http.client.HTTPConnection("daemon")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(daemon.socket))
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.fixture(params=[OCI, DOCKER], ids=["oci", "docker"])
def multi(request, registry, daemon):
    name = f"platforms/{'oci' if request.param is OCI else 'docker'}"
    body = put_index(registry, name, "1", request.param, attest=request.param is OCI)
    reference = f"{registry}/{name}:1"
    yield reference, body
    daemon.caisson("rmi", "-f", reference, check=False)


def architecture(client, reference, *more):
    return json.loads(client("image", "inspect", *more, reference).stdout)[0]["Architecture"]


def test_platforms_stand_side_by_side(client, daemon, multi, tmp_path):
    reference, body = multi
    client("pull", "--platform", f"linux/{OTHER}", reference)
    assert architecture(client, reference) == OTHER
    client("pull", reference)
    assert architecture(client, reference) == HOST
    ours = lambda *argv, **more: daemon.caisson(*argv, **more).stdout
    assert json.loads(ours("image", "inspect", "--platform", f"linux/{OTHER}", reference))[0]["Architecture"] == OTHER
    tree = ours("image", "ls", "--tree")
    assert f"├─ linux/{HOST}" in tree and f"linux/{OTHER}" in tree
    bad = daemon.caisson("image", "inspect", "--platform", "linux/s390x", reference, check=False)
    assert bad.returncode == 1 and "does not provide the specified platform (linux/s390x)" in bad.stderr
    # One line per tag for everybody, and nothing dangles.
    assert client.out("images", "--format", "{{.Tag}}", reference.rsplit(":", 1)[0]) == "1"
    assert client.out("images", "-q", "--filter", "dangling=true") == ""

    # Pushed as it came: the same index, byte for byte, in another repository.
    copy = reference.replace("/platforms/", "/copied/")
    client("tag", reference, copy)
    client("push", copy)
    raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{copy}"], capture_output=True, check=True).stdout
    assert raw == body
    # One platform of it.
    ours("push", "--platform", f"linux/{OTHER}", copy)
    raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{copy}"], capture_output=True, check=True).stdout
    assert json.loads(raw)["mediaType"] == json.loads(body)["manifests"][1]["mediaType"]
    client("rmi", copy)

    # Saved with all of it; other tools find the image for this machine, and each of them by name.
    archive = tmp_path / "all.tar"
    ours("save", "-o", archive, reference)
    seen = subprocess.run(["skopeo", "inspect", "--raw", f"oci-archive:{archive}"], capture_output=True, check=True).stdout
    assert seen == body
    subprocess.run(["skopeo", "copy", "-q", f"docker-archive:{archive}", f"oci:{tmp_path}/from-docker:x"], check=True)
    client("rmi", reference)
    assert ours("images", "-aq") == "" or reference not in ours("images", "-a")
    assert f"Loaded image: {reference}" in client("load", "-i", archive).stdout
    assert json.loads(ours("image", "inspect", "--platform", f"linux/{OTHER}", reference))[0]["Architecture"] == OTHER
    ours("rmi", reference)
    ours("load", "--platform", f"linux/{OTHER}", "-i", archive)
    assert architecture(client, reference) == OTHER


def test_what_the_api_says_of_an_index(daemon, multi):
    reference, body = multi
    daemon.caisson("pull", reference)
    quoted = urllib.parse.quote(reference, safe="/:")
    status, image = api(daemon, f"/v1.48/images/{quoted}/json?manifests=1")
    assert status == 200
    assert image["Descriptor"]["digest"] == put_digest(body)
    assert [m["Kind"] for m in image["Manifests"]][:2] == ["image", "image"]
    # The other one may still be here: the test before pushed it, and it has that digest for a name.
    assert image["Manifests"][0]["Available"] is True
    status, image = api(daemon, f"/v1.47/images/{quoted}/json")
    assert "Descriptor" not in image and "Manifests" not in image
    status, listed = api(daemon, "/v1.47/images/json?manifests=1")
    assert any(i.get("Manifests") for i in listed)
    status, error = api(daemon, f"/images/{quoted}/history?platform=junk")
    assert status == 400
    status, error = api(daemon, f"/images/{quoted}/history?platform=" + urllib.parse.quote('{"os":"linux","architecture":"s390x"}'))
    assert status == 404
    status, statements = api(daemon, f"/images/{quoted}/attestations?statement=1")
    if status == 200:  # API 1.55
        expected = [{"who": "test"}] if len(json.loads(body)["manifests"]) == 3 else []
        assert [s["Statement"]["predicate"] for s in statements] == expected


def test_a_foreign_image_is_named_at_create_and_fails_clearly(client, daemon, multi, names):
    reference, _ = multi
    client("pull", "--platform", f"linux/{OTHER}", reference)
    name = names()
    created = client("create", "--name", name, reference)
    assert "does not match the detected host platform" in created.stderr
    assert f"linux/{OTHER}" in created.stderr
    started = client("start", name, check=False)
    assert started.returncode == 1
    quiet = client("create", "--name", names(), "--platform", f"linux/{OTHER}", reference)
    assert "does not match" not in quiet.stderr


def test_all_tags(client, daemon, registry):
    for tag in ("a", "b"):
        put_image(registry, "many/here", tag, HOST, OCI)
    client("pull", "-a", f"{registry}/many/here")
    assert sorted(client.out("images", "--format", "{{.Tag}}", f"{registry}/many/here").split()) == ["a", "b"]
    client("rmi", f"{registry}/many/here:a", f"{registry}/many/here:b")
    missing = client("pull", "-a", f"{registry}/many/missing", check=False)
    assert missing.returncode == 1 and "not found" in missing.stderr
