"""The two images of runc's suite, made of Debian packages, under the names that its get-images.sh looks for.

They are plain tar files although the names end in .xz: tar(1) looks at what is in them, and unpacks these faster.
"""
import io
import os
import pathlib
import subprocess
import tarfile
import tempfile

# Needed by nothing that the suite does; it unpacks an image for every test.
SUPERFLUOUS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/zoneinfo", "usr/lib/x86_64-linux-gnu/gconv",
               "usr/lib/x86_64-linux-gnu/perl-base", "usr/share/perl5", "var/lib/apt", "var/lib/dpkg", "var/cache", "var/log")
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    "etc/group": "root:x:0:\ndaemon:x:1:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:::::::\ndaemon:*:::::::\nnobody:*:::::::\n",
}


def entry(archive, name, kind=tarfile.REGTYPE, mode=0o755, data=b"", link=""):
    info = tarfile.TarInfo("./" + name)
    info.type, info.mode, info.size, info.linkname = kind, mode, len(data), link
    archive.addfile(info, io.BytesIO(data))


def busybox(target):
    binary = pathlib.Path("/bin/busybox").read_bytes()
    applets = subprocess.run(["/bin/busybox", "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in ("bin", "dev", "etc", "home", "lib", "root", "usr", "usr/sbin", "var", "var/spool", "var/spool/mail", "var/www"):
            entry(archive, name, tarfile.DIRTYPE)
        entry(archive, "tmp", tarfile.DIRTYPE, 0o1777)
        for name, text in ACCOUNTS.items():
            entry(archive, name, mode=0o644, data=text.encode())
        entry(archive, "bin/busybox", data=binary)
        for name in applets:
            if name != "busybox":
                entry(archive, "bin/" + name, tarfile.LNKTYPE, link="./bin/busybox")


def debian(target):
    with tempfile.TemporaryDirectory() as work:
        whole = work + "/debian.tar"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", whole, "deb http://deb.debian.org/debian bookworm main"], check=True)
        with tarfile.open(whole) as source, tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
            for member in source:
                name = member.name.removeprefix("./")
                if member.isdev() or name.startswith(SUPERFLUOUS):
                    continue
                archive.addfile(member, source.extractfile(member) if member.isreg() else None)


def make(testdata):
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    busybox(testdata / f"busybox-{machine}.tar.xz")
    debian(testdata / f"debian-{machine}.tar.xz")
