"""Names that lead elsewhere: symlinks in images and volumes, exchanged while a container is created; masks; what stands
on /proc, /sys, /dev."""
import array
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

from harness import MASKED, case, check, escaped, held, refused, wait_for

CORE_PATTERN = "/proc/sys/kernel/core_pattern"
KERNEL_FILES = [CORE_PATTERN, "/proc/sysrq-trigger", "/proc/sys/kernel/modprobe", "/proc/sys/vm/panic_on_oom",
                "/proc/sys/fs/binfmt_misc/register", "/sys/kernel/uevent_helper", "/proc/irq/default_smp_affinity"]


@contextlib.contextmanager
def exchanging(host, first, second):
    """A process that swaps the two names all the time, as one in a container that shares the volume can."""
    racer = host.spawn([str(host.work / "attack"), "exchange", str(first), str(second)])
    check("ready" in racer.stdout.readline(), "the racer did not begin")
    try:
        yield
    finally:
        racer.kill()
        racer.communicate()
        host.spawned.remove(racer)


def terminal(box, attack):
    """Runs a container with a terminal; what it says is what comes out of the terminal."""
    path = box.bundle / "console"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.settimeout(10)
    text = []

    def serve():
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            _, control, _, _ = peer.recvmsg(100, socket.CMSG_SPACE(4))
            if not control:
                return
            master = array.array("i", control[0][2])[0]
            with contextlib.suppress(OSError):
                while chunk := os.read(master, 4096):
                    text.append(chunk.decode(errors="replace"))
            os.close(master)

    thread = threading.Thread(target=serve)
    thread.start()
    box.process["terminal"] = True
    box.process["args"] = attack
    said = box.run("--detach", "--console-socket", str(path))
    if said.status != 0:
        with socket.socket(socket.AF_UNIX) as nobody:
            nobody.connect(str(path))
    thread.join(12)
    listener.close()
    said.out += "".join(text)
    return said


@case("exchange-while-mounting")
def _(host):
    """CVE-2021-30465: a volume whose directory is a symlink to the top half of the time, and a mount in it."""
    landed = refusals = 0
    volume = host.directory("volume")
    (volume / "dir").mkdir()
    (volume / "link").symlink_to("../../../../../../../../../../../../" + str(host.work)[1:])
    (host.work / "x").mkdir()
    host.undo.append((host.work / "x").rmdir)
    (volume / "dir" / "x").mkdir()
    with exchanging(host, volume / "dir", volume / "link"):
        for _ in range(50):
            box = host.box("/bin/sh", "-c", f"/attack climb {host.secret}; cat /proc/self/mountinfo")
            box.bind(volume, "/vol", "rbind", "rprivate")
            box.spec["mounts"].append({"destination": "/vol/dir/x", "type": "tmpfs", "source": "tmpfs", "options": ["size=4k"]})
            said = box.run()
            check("ESCAPED" not in said.out, f"{said}")
            check(not os.listdir(host.work / "x") and not os.path.ismount(host.work / "x"), "a mount on the host")
            landed += said.status == 0
            refusals += said.status != 0
            shutil.rmtree(box.bundle)
    check(landed > 5, f"only {landed} containers came to be, {refusals} did not")


@case("exchange-control")
def _(host):
    """The same race against a mount by a path that was checked before."""
    volume = host.directory("volume")
    outside = host.directory("outside")
    (volume / "dir").mkdir()
    (volume / "link").symlink_to(outside)
    with exchanging(host, volume / "dir", volume / "link"):
        escaped(host.attack("naive-mount", volume, "dir", outside, 10))


@case("exchange-bind-source")
def _(host):
    """A bind mount whose source is a directory and a file by turns: one of them whole, or an error."""
    volume = host.directory("volume")
    (volume / "dir").mkdir()
    (volume / "file").write_text("")
    with exchanging(host, volume / "dir", volume / "file"):
        for _ in range(20):
            box = host.box("/attack", "climb", str(host.secret))
            box.bind(volume / "dir", "/vol/it")
            said = box.run()
            check("ESCAPED" not in said.out, f"{said}")
            check(said.status == 0 or "it" in said.err, f"{said}")
            shutil.rmtree(box.bundle)


@case("symlinks-in-configuration")
def _(host):
    """Destinations, masks, devices and the working directory through "..", and symlinks of the image."""
    outside = host.directory("outside")
    (outside / "file").write_text("")
    before = set(outside.rglob("*"))
    for target in (str(outside), "../" * 12 + str(outside)[1:]):
        for way in ("mount", "file", "device", "masked", "readonly", "cwd", "console"):
            box = host.box("/attack", "climb", str(host.secret))
            (box.rootfs / "link").symlink_to(target)
            (box.rootfs / "dots").mkdir()
            for name in ("/link", "/link/new", "/dots/../../../../../.." + str(outside) + "/new", "/dots/../link/deep/new"):
                if way == "mount":
                    box.spec["mounts"].append({"destination": name, "type": "tmpfs", "source": "tmpfs", "options": ["size=4k"]})
                elif way == "file":
                    box.bind("/etc/hostname", name + "-file")
                elif way == "device":
                    box.linux.setdefault("devices", []).append({"path": name + "-node", "type": "c", "major": 1, "minor": 3})
                elif way == "masked":
                    box.linux["maskedPaths"].append(name.replace("new", "file"))
                elif way == "readonly":
                    box.linux["readonlyPaths"].append(name.replace("new", "file"))
                elif way == "cwd":
                    box.process["cwd"] = name
            said = box.run()
            check("ESCAPED" not in said.out, f"{way} {target}: {said}")
            check(said.status == 0, f"{way} {target}: {said}")
            check(set(outside.rglob("*")) == before, f"{way} {target}: something was made outside: {set(outside.rglob('*')) - before}")
            check((outside / "file").is_file() and os.access(outside / "file", os.W_OK), f"{way}: outside was covered")


@case("masks-null-is-symlink")
def _(host):
    """CVE-2025-31133: masked with the container's /dev/null, which the image made a symlink to a kernel file."""
    for target in (CORE_PATTERN, "/proc/kcore"):
        box = host.box("/bin/sh", "-c", "/attack masked " + " ".join(MASKED) + " && /attack open-write " + " ".join(KERNEL_FILES))
        box.without_mount("/dev", "/dev/pts", "/dev/shm")
        (box.rootfs / "dev/null").symlink_to(target)
        said = box.run()
        check("ESCAPED" not in said.out, f"{said}")
        refused(said, "/dev/null")
    # Where the configuration has the host's /dev, nothing is made there, and a wrong null device may stay.
    fake = host.directory("dev")
    (fake / "null").symlink_to(CORE_PATTERN)
    box = host.box("/bin/sh", "-c", "/attack masked " + " ".join(MASKED) + " && /attack open-write " + " ".join(KERNEL_FILES))
    box.without_mount("/dev", "/dev/pts", "/dev/shm")
    box.bind(fake, "/dev")
    held(box.run())


@case("masks-null-is-exchanged")
def _(host):
    """The same with a /dev that another container shares and changes."""
    volume = host.directory("dev")
    os.mknod(volume / "null", 0o666 | 0o020000, os.makedev(1, 3))
    (volume / "link").symlink_to(CORE_PATTERN)
    with exchanging(host, volume / "null", volume / "link"):
        for _ in range(20):
            box = host.box("/bin/sh", "-c", "/attack masked " + " ".join(MASKED) + " && /attack open-write " + " ".join(KERNEL_FILES))
            box.without_mount("/dev", "/dev/pts", "/dev/shm")
            box.bind(volume, "/dev")
            said = box.run()
            check("ESCAPED" not in said.out, f"{said}")
            shutil.rmtree(box.bundle)


@case("masks-control")
def _(host):
    box = host.box("/attack", "masked", *MASKED)
    box.linux["maskedPaths"] = []
    escaped(box.run())
    box = host.box("/attack", "open-write", CORE_PATTERN)
    box.linux["readonlyPaths"] = []
    escaped(box.run())


@case("console-is-symlink")
def _(host):
    """CVE-2025-52565: the terminal is bound on /dev/console, which the image made a symlink to a kernel file."""
    for target in (CORE_PATTERN, "/proc/sysrq-trigger"):
        for shared in (False, True):
            box = host.box()
            if shared:
                volume = host.directory("dev")
                (volume / "console").symlink_to(target)
                box.bind(volume, "/dev")
                box.without_mount("/dev/pts", "/dev/shm")
            else:
                box.without_mount("/dev", "/dev/shm")
                (box.rootfs / "dev/console").symlink_to(target)
                (box.rootfs / "dev/pts").mkdir()
            said = terminal(box, ["/bin/sh", "-c", f"/attack open-write {target}; cat /proc/self/mountinfo"])
            check("ESCAPED" not in said.out, f"{said}")
            check(f" {target} " not in said.out.replace(" /proc/sysrq-trigger /proc/sysrq-trigger ", ""), f"mounted on {target}: {said}")


@case("console-is-exchanged")
def _(host):
    volume = host.directory("dev")
    (volume / "console").write_text("")
    (volume / "pts").mkdir()
    (volume / "link").symlink_to(CORE_PATTERN)
    with exchanging(host, volume / "console", volume / "link"):
        for _ in range(20):
            box = host.box()
            box.without_mount("/dev", "/dev/shm")
            box.spec["mounts"].insert(0, {"destination": "/dev", "type": "bind", "source": str(volume), "options": ["rbind", "rprivate"]})
            said = terminal(box, ["/bin/sh", "-c", f"/attack open-write {CORE_PATTERN}"])
            check("ESCAPED" not in said.out, f"{said}")
            shutil.rmtree(box.bundle)


@case("terminal-multiplexer")
def _(host):
    """/dev/ptmx and /dev/pts/ptmx that lead elsewhere."""
    for target in (CORE_PATTERN, "/dev/null", "/file", "/dev/tty"):
        box = host.box()
        box.without_mount("/dev", "/dev/pts", "/dev/shm")
        (box.rootfs / "file").write_text("")
        (box.rootfs / "dev/pts").mkdir()
        (box.rootfs / "dev/pts/ptmx").symlink_to(target)
        said = terminal(box, ["/attack", "climb", str(host.secret)])
        refused(said, "ptmx")
    # The host's own multiplexer as a node of the image: its terminals would be the host's.
    box = host.box()
    box.without_mount("/dev", "/dev/pts", "/dev/shm")
    (box.rootfs / "dev/pts").mkdir()
    os.mknod(box.rootfs / "dev/pts/ptmx", 0o666 | 0o020000, os.makedev(5, 2))
    said = terminal(box, ["/attack", "climb", str(host.secret)])
    refused(said)


@case("proc-is-not-proc")
def _(host):
    """CVE-2025-52881, CVE-2019-16884: something else on /proc, or on parts of it, for labels, sysctls and masks to go to."""
    fake = host.directory("fake")
    (fake / "self/attr").mkdir(parents=True)
    (fake / "sys/net/ipv4").mkdir(parents=True)
    (fake / "sys/net/ipv4/ip_forward").write_text("")
    wrong = [{"destination": "/proc", "type": "bind", "source": str(fake), "options": ["rbind"]},
             {"destination": "/proc", "type": "tmpfs", "source": "tmpfs", "options": []},
             {"destination": "/proc/self/attr", "type": "bind", "source": str(fake / "self/attr"), "options": ["rbind"]},
             {"destination": "/proc/sys/net/ipv4/ip_forward", "type": "bind", "source": "/dev/null", "options": ["bind"]},
             {"destination": "/proc/sys", "type": "tmpfs", "source": "tmpfs", "options": []},
             {"destination": "/proc/../proc/./sys", "type": "tmpfs", "source": "tmpfs", "options": []},
             {"destination": "/link/sys", "type": "tmpfs", "source": "tmpfs", "options": []}]
    for mount in wrong:
        box = host.box("/bin/true")
        (box.rootfs / "link").symlink_to("/proc")
        box.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
        box.spec["mounts"].append(mount)
        refused(box.run(), "/proc")
    check((fake / "sys/net/ipv4/ip_forward").read_text() == "", "a sysctl was written to a fake procfs")
    box = host.box("/bin/cat", "/proc/sys/net/ipv4/ip_forward")
    box.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    check(box.run().out == "1\n", "a sysctl that is allowed")


@case("sysctl-names")
def _(host):
    before = pathlib.Path(CORE_PATTERN).read_text()
    for name in ("kernel.core_pattern", "net/../kernel/core_pattern", "net.ipv4/../../kernel/core_pattern", "net/ipv4/../../../sysrq-trigger",
                 "kernel/shmmax/../core_pattern", "fs/mqueue/../../kernel/core_pattern", "", "net//core/somaxconn", "vm.panic_on_oom"):
        box = host.box("/bin/true")
        box.linux["sysctl"] = {name: before.strip()}
        refused(box.run(), "sysctl")
    check(pathlib.Path(CORE_PATTERN).read_text() == before, "core_pattern was changed")


@case("proc-is-symlink")
def _(host):
    """CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc or /sys of the image is a symlink into a volume."""
    volume = host.directory("volume")
    for name in ("proc", "sys"):
        for target in ("/vol", "vol", "/vol/below", "dev", "/", "."):
            box = host.box("/attack", "masked", *MASKED)
            (box.rootfs / name).rmdir()
            (box.rootfs / name).symlink_to(target)
            box.spec["mounts"].insert(0, {"destination": "/vol", "type": "bind", "source": str(volume), "options": ["rbind"]})
            refused(box.run(), f"/{name}")


@case("proc-is-exchanged")
def _(host):
    """The whole root is a volume of somebody who swaps /proc with a symlink."""
    box = host.box("/bin/sh", "-c", "/attack masked " + " ".join(MASKED) + "&& /attack open-write " + " ".join(KERNEL_FILES))
    (box.rootfs / "link").symlink_to("/vol")
    came = 0
    with exchanging(host, box.rootfs / "proc", box.rootfs / "link"):
        for _ in range(40):
            said = box.run()
            check("ESCAPED" not in said.out, f"{said}")
            came += said.status == 0
    check(came > 0, "no container came to be")


@case("unmasked-procfs")
def _(host):
    """A procfs of one's own, in a user namespace, would have no masks."""
    for change in ({}, {"no_pivot": True}):
        box = host.box("/attack", "mount-proc", "sys/kernel/core_pattern")
        said = box.run(*(["--no-pivot"] if change else []))
        check(said.status == 0, f"{change}: {said}")


@case("unmasked-procfs-control")
def _(host):
    box = host.box("/attack", "mount-proc", "sys/kernel/core_pattern")
    box.linux["maskedPaths"] = box.linux["readonlyPaths"] = []
    escaped(box.run())


@case("mount-propagation")
def _(host):
    """Mounts made inside do not show on the host, even from a shared mount, with and without a user namespace."""
    shared = host.directory("shared")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", shared], check=True)
    subprocess.run(["mount", "--make-rshared", shared], check=True)
    host.undo.append(lambda: subprocess.run(["umount", "-R", shared], check=True))
    shared.chmod(0o777)
    (shared / "below").mkdir(mode=0o777)
    mounts = lambda: [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    before = mounts()
    for user in (False, True):
        for options in (["rbind"], ["bind"], ["rbind", "rslave"], ["rbind", "rprivate"], ["rbind", "ro"]):
            for propagation in ("", "rshared", "private"):
                box = host.box("/attack", "mount-here", "/vol/below", "/tmp", "/dev")
                box.add_capability("CAP_SYS_ADMIN")
                if user:
                    box.user_namespace()
                box.bind(shared, "/vol", *options)
                if propagation:
                    box.linux["rootfsPropagation"] = propagation
                box.process["args"] = ["/bin/sh", "-c", "/attack mount-here /vol/below /tmp /dev & sleep 0.05"]
                box.run()
                check(mounts() == before, f"user namespace {user}, {options}, {propagation}: a mount reached the host")


@case("mount-propagation-control")
def _(host):
    """Asked for by "rshared", they do."""
    shared = host.directory("shared")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", shared], check=True)
    subprocess.run(["mount", "--make-rshared", shared], check=True)
    host.undo.append(lambda: subprocess.run(["umount", "-R", shared], check=True))
    (shared / "below").mkdir()
    box = host.box("/attack", "mount-here", "/vol/below")
    box.add_capability("CAP_SYS_ADMIN")
    box.bind(shared, "/vol", "rbind", "rshared")
    box.linux["rootfsPropagation"] = "rshared"
    box.run()
    check(str(shared / "below") in pathlib.Path("/proc/self/mountinfo").read_text(), "the control shows nothing")
