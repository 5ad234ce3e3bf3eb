#!/usr/bin/env python3
"""Makes the image archives that come with the installation: OUTDIR/{busybox,hello-world}.tar.

  tools/make_builtin_images.py OUTDIR BUSYBOX HELLO

BUSYBOX is a static busybox (Debian's busybox-static), HELLO the static program of src/cmd/hello. An
archive is a docker archive and an OCI layout in one, as `caisson save` writes it. Equal inputs make
equal archives: no clock and no owner's name goes in; the time of all files and of the images is the
modification time of BUSYBOX, which is that of its package, or SOURCE_DATE_EPOCH.
"""
import datetime
import hashlib
import io
import json
import os
import pathlib
import platform
import struct
import subprocess
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "riscv64": "riscv64",
                 "ppc64le": "ppc64le", "s390x": "s390x"}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
sync:x:4:100:sync:/bin:/bin/sync
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mail:x:8:
kmem:x:9:
wheel:x:10:root
cdrom:x:11:
dialout:x:18:
floppy:x:19:
video:x:28:
audio:x:29:
tape:x:32:
www-data:x:33:
operator:x:37:
utmp:x:43:
plugdev:x:46:
staff:x:50:
lock:x:54:
netdev:x:82:
users:x:100:
nobody:x:65534:
"""
SHADOW = "".join(f"{line.split(':')[0]}:*:::::::\n" for line in PASSWD.splitlines())
NSSWITCH = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"


def is_static(program):
    """No PT_INTERP among the ELF program headers: needs no loader and no library in the image."""
    content = program.read_bytes()
    if content[:4] != b"\x7fELF" or content[5] != 1:
        return False
    if content[4] == 2:
        start, size, count = *struct.unpack_from("<Q", content, 32), *struct.unpack_from("<HH", content, 54)
    else:
        start, size, count = *struct.unpack_from("<I", content, 28), *struct.unpack_from("<HH", content, 42)
    return all(struct.unpack_from("<I", content, start + i * size)[0] != 3 for i in range(count))


class Tree:
    """A tar of files that all belong to root."""

    def __init__(self, time):
        self.time = time
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.USTAR_FORMAT)

    def add(self, name, kind, mode, content=b"", target=""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime, info.size, info.linkname = kind, mode, self.time, len(content), target
        self.tar.addfile(info, io.BytesIO(content) if content else None)

    def folder(self, name, mode=0o755):
        self.add(name + "/", tarfile.DIRTYPE, mode)

    def file(self, name, content, mode=0o644):
        self.add(name, tarfile.REGTYPE, mode, content if isinstance(content, bytes) else content.encode())

    def hard_link(self, name, target):
        self.add(name, tarfile.LNKTYPE, 0o755, target=target)

    def finish(self):
        self.tar.close()
        return self.buffer.getvalue()


def busybox_tree(binary, time):
    tree = Tree(time)
    for folder in ("bin", "dev", "etc", "home", "proc", "sbin", "sys", "usr", "usr/bin", "usr/sbin", "usr/local",
                   "usr/local/bin", "var", "var/spool", "var/spool/mail", "var/www"):
        tree.folder(folder)
    tree.folder("root", 0o700)
    tree.folder("tmp", 0o1777)
    tree.file("etc/passwd", PASSWD)
    tree.file("etc/group", GROUP)
    tree.file("etc/shadow", SHADOW, 0o640)
    tree.file("etc/nsswitch.conf", NSSWITCH)
    tree.file("bin/busybox", binary.read_bytes(), 0o755)
    listed = subprocess.run([str(binary), "--list-full"], check=True, capture_output=True, text=True).stdout.split()
    for applet in sorted(set(listed) - {"bin/busybox", "linuxrc"}):
        tree.hard_link(applet, "bin/busybox")
    return tree.finish()


def hello_tree(binary, time):
    tree = Tree(time)
    tree.file("hello", binary.read_bytes(), 0o755)
    return tree.finish()


def canonical(document):
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def digest(content):
    return hashlib.sha256(content).hexdigest()


def archive(name, layer, command, time):
    created = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    machine = ARCHITECTURES.get(platform.machine(), platform.machine())
    config = canonical({
        "architecture": machine, "os": "linux", "created": created,
        "config": {"Env": [PATH], "Cmd": command, "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer)]},
        "history": [{"created": created, "created_by": "COPY rootfs / # built in"},
                    {"created": created, "created_by": "CMD " + json.dumps(command), "empty_layer": True}],
    })

    def describe(media_type, content, **more):
        return {"mediaType": media_type, "digest": "sha256:" + digest(content), "size": len(content), **more}

    manifest = canonical({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe("application/vnd.oci.image.config.v1+json", config),
        "layers": [describe("application/vnd.oci.image.layer.v1.tar", layer)],
    })
    whole_name = f"docker.io/library/{name}:latest"
    index = canonical({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [describe("application/vnd.oci.image.manifest.v1+json", manifest,
                               platform={"architecture": machine, "os": "linux"},
                               annotations={"io.containerd.image.name": whole_name,
                                            "org.opencontainers.image.ref.name": whole_name})],
    })
    docker_manifest = canonical([{"Config": "blobs/sha256/" + digest(config), "RepoTags": [f"{name}:latest"],
                                  "Layers": ["blobs/sha256/" + digest(layer)]}])
    out = Tree(0)
    out.file("oci-layout", '{"imageLayoutVersion":"1.0.0"}')
    out.file("index.json", index)
    out.file("manifest.json", docker_manifest)
    out.folder("blobs")
    out.folder("blobs/sha256")
    for content in sorted((config, layer, manifest), key=digest):
        out.file("blobs/sha256/" + digest(content), content, 0o444)
    return out.finish()


def main(arguments):
    if len(arguments) != 3:
        sys.exit(__doc__.strip())
    out, busybox, hello = map(pathlib.Path, arguments)
    for program in (busybox, hello):
        if not is_static(program):
            sys.exit(f"{program}: no static program (busybox: install the package busybox-static)")
    time = int(os.environ.get("SOURCE_DATE_EPOCH", busybox.stat().st_mtime))
    out.mkdir(parents=True, exist_ok=True)
    for name, layer, command in (("busybox", busybox_tree(busybox, time), ["sh"]),
                                 ("hello-world", hello_tree(hello, time), ["/hello"])):
        temporary = out / f".{name}.tmp"
        temporary.write_bytes(archive(name, layer, command, time))
        temporary.replace(out / f"{name}.tar")


if __name__ == "__main__":
    main(sys.argv[1:])
