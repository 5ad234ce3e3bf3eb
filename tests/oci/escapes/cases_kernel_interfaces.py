"""What the kernel shares between containers and the host: files under /proc and /sys, cgroups, devices, keys, sockets,
terminals, groups, and the files that name users."""
import ctypes
import fcntl
import os
import pathlib
import pty
import select
import socket
import struct
import termios
import time

from harness import case, check, escaped, held, refused

KERNEL_FILES = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
                "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/mtrr",
                "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled",
                "/sys/power/state", "/sys/block/loop0/uevent", "/sys/module/kernel/parameters/panic"]


@case("kernel-files")
def _(host):
    """core_pattern, sysrq-trigger, kcore and their kind: none opens for writing."""
    held(host.box("/attack", "open-write", *KERNEL_FILES).run())


@case("kernel-files-control")
def _(host):
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches"):
        box = host.box("/attack", "open-write", path)
        box.linux["readonlyPaths"] = []
        escaped(box.run())


@case("kernel-memory")
def _(host):
    """/proc/kcore and the kernel's log can't be read, nor keys listed, nor another process's memory found."""
    said = host.box("/bin/sh", "-c", "for f in /proc/kcore /proc/keys /proc/timer_list /dev/mem /dev/kmsg /dev/port; do "
                    "if [ -s $f ] || grep -q . $f 2>/dev/null; then echo ESCAPED $f; fi; done; echo held").run()
    held(said)
    check("ESCAPED" not in said.out, f"{said}")


def cgroup_files(host, box):
    """The files of the container's cgroup as it sees them, and the top's."""
    return [f"/sys/fs/cgroup/{name}/{file}" for name in ("memory", "pids", "devices", "freezer", "cpu", "unified")
            for file in ("release_agent", "cgroup.procs", "tasks", "notify_on_release", "memory.limit_in_bytes", "pids.max",
                         "devices.allow", "cgroup.subtree_control")] + \
           [f"/sys/fs/cgroup/{file}" for file in ("cgroup.procs", "cgroup.subtree_control", "memory.max", "pids.max")]


@case("cgroup-release-agent")
def _(host):
    """CVE-2022-0492 and the container's cgroup mount."""
    for namespace in (False, True):
        box = host.box()
        box.process["args"] = ["/attack", "mount-cgroup", *cgroup_files(host, box)]
        if namespace:
            box.linux["namespaces"].append({"type": "cgroup"})
        held(box.run())
    box = host.box()
    box.process["args"] = ["/attack", "mount-cgroup", *cgroup_files(host, box)]
    box.user_namespace()
    held(box.run())


@case("cgroup-release-agent-control")
def _(host):
    box = host.box()
    box.process["args"] = ["/attack", "mount-cgroup", *cgroup_files(host, box)]
    box.all_capabilities()
    escaped(box.run())


@case("cgroup-path")
def _(host):
    """A cgroupsPath with ".." does not lead out of the hierarchies."""
    for path in ("/../../../../tmp/escape", f"{host.cgroup}/../../../../../../{host.work}/x", "../x"):
        box = host.box("/bin/true")
        box.linux["cgroupsPath"] = path
        box.run()
        check(not (host.work / "x").exists() and not pathlib.Path("/tmp/escape").exists(), f"{path}: made a directory outside")
        for entry in pathlib.Path("/sys/fs/cgroup").glob("*/x"):
            raise AssertionError(f"{path}: left {entry}")


@case("devices")
def _(host):
    """Nodes can be made with CAP_MKNOD, and not opened: the device cgroup."""
    disk = next((entry.stat().st_rdev for entry in pathlib.Path("/dev").glob("[vs]d[a-z]")), os.makedev(7, 0))
    for kind, device in (("b", disk), ("b", os.makedev(7, 0)), ("c", os.makedev(1, 1)), ("c", os.makedev(1, 11)), ("c", os.makedev(10, 232))):
        held(host.box("/attack", "use-node", kind, str(os.major(device)), str(os.minor(device))).run(), "Operation not permitted")


@case("devices-control")
def _(host):
    box = host.box("/attack", "use-node", "b", "7", "0")
    box.linux["resources"]["devices"] = [{"allow": True, "access": "rwm"}]
    escaped(box.run())


@case("devices-user-namespace")
def _(host):
    box = host.box("/attack", "use-node", "b", "7", "0")
    box.linux["resources"]["devices"] = [{"allow": True, "access": "rwm"}]
    box.user_namespace()
    held(box.run())


def host_key(name):
    """A key in a session keyring of the test's own. Gives what has to be called in the child."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare():
        libc.syscall(250, 1, b"caisson-escapes", 0, 0, 0)  # keyctl(KEYCTL_JOIN_SESSION_KEYRING)
        libc.syscall(248, b"user", name.encode(), b"of the host", 11, -3)  # add_key to the session keyring
    return prepare


@case("keyrings")
def _(host):
    """The session keyring is the container's own, at the start and by exec."""
    name = "caisson-secret"
    held(host.box("/attack", "keyring", name).run(preexec_fn=host_key(name)))
    box = host.box().background()
    held(box.exec("/attack", "keyring", name, preexec_fn=host_key(name)))


@case("keyrings-control")
def _(host):
    name = "caisson-secret"
    escaped(host.box("/attack", "keyring", name).run("--no-new-keyring", preexec_fn=host_key(name)))


def abstract_listener(name):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + name)
    listener.listen()
    return listener


@case("abstract-sockets")
def _(host):
    with abstract_listener("caisson-escapes"):
        held(host.box("/attack", "abstract-socket", "caisson-escapes").run())
        box = host.box().background()
        held(box.exec("/attack", "abstract-socket", "caisson-escapes"))


@case("abstract-sockets-control")
def _(host):
    with abstract_listener("caisson-escapes"):
        box = host.box("/attack", "abstract-socket", "caisson-escapes")
        box.linux["namespaces"] = [one for one in box.linux["namespaces"] if one["type"] != "network"]
        box.without_mount("/sys")
        escaped(box.run())


def typed(slave, command, host):
    """Runs a command in a session whose terminal is a new pty; what stands in the terminal's input afterwards."""
    def prepare():
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    said = host.call(command, stdin=slave, preexec_fn=prepare)
    ready, _, _ = select.select([slave], [], [], 0.05)
    text = os.read(slave, 100) if ready else b""
    return said, text


@case("terminal-input")
def _(host):
    """TIOCSTI: a container without a terminal of its own has the caller's as descriptor 0, and may not type into it."""
    for verb in ("run", "exec"):
        box = host.box("/attack", "push-input")
        if verb == "exec":
            box.process["args"] = ["/bin/sleep", "1000"]
            box.background()
        else:
            box.write()
        master, slave = pty.openpty()
        said, text = typed(slave, box.command(verb, words=("/attack", "push-input") if verb == "exec" else ()), host)
        os.close(master)
        os.close(slave)
        held(said)
        check(text == b"", f"{verb}: typed {text!r}")


@case("terminal-input-control")
def _(host):
    """Without a session of its own a process could, where the kernel still allows it (dev.tty.legacy_tiocsti)."""
    allowed = pathlib.Path("/proc/sys/dev/tty/legacy_tiocsti")
    if allowed.exists() and allowed.read_text().strip() == "0":
        return
    master, slave = pty.openpty()
    said, text = typed(slave, [str(host.work / "attack"), "push-input"], host)
    os.close(master)
    os.close(slave)
    escaped(said)
    check(text.startswith(b"escape"), f"typed {text!r}")


@case("groups")
def _(host):
    """The caller's supplementary groups are not the container's; a group that is denied a file can't be left."""
    for user in (False, True):
        box = host.box("/attack", "capabilities")
        if user:
            box.user_namespace()
        said = box.run(preexec_fn=lambda: os.setgroups([0, 42, 4242]))
        check("4242" not in said.out and "42" not in said.out.split("Groups:")[1].split("\n")[0], f"{user}: {said}")
    box = host.box("/attack", "drop-groups", "/denied")
    denied = box.rootfs / "denied"
    denied.write_text("not for the group\n")
    os.chown(denied, 0, 500)
    denied.chmod(0o604)
    box.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [500]}
    held(box.run())


def opened(path, action):
    """True when something opens `path` while `action` runs (inotify; opening with O_PATH does not count)."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    check(libc.inotify_add_watch(watch, str(path).encode(), 0x20) >= 0, "inotify")  # IN_OPEN
    try:
        said = action()
        try:
            return said, len(os.read(watch, 4096)) > 0
        except BlockingIOError:
            return said, False
    finally:
        os.close(watch)


@case("passwd-file")
def _(host):
    """/etc/passwd is the container's: a device, a FIFO, a huge file, a link out. Without HOME it is read, at init and exec."""
    def device(path):
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 5))

    def huge(path):
        with open(path, "w") as file:
            file.write("root:x:0:0::/found:")
            file.truncate(8 << 30)

    def target(link):
        return lambda path: path.symlink_to(link)

    kinds = {"device": device, "fifo": os.mkfifo, "directory": os.mkdir, "huge": huge, "outside": target("../" * 12 + "etc/passwd"),
             "loop": target("passwd"), "proc": target("/proc/self/environ"), "descriptor": target("/proc/self/fd/3"),
             "zero": target("/dev/zero")}
    for name, make in kinds.items():
        box = host.box("/bin/sh", "-c", "echo home=$HOME")
        make(box.rootfs / "etc/passwd")
        watched = name in ("device", "fifo")
        action = lambda: box.run(timeout=5)
        start = time.monotonic()
        said, was_opened = opened(box.rootfs / "etc/passwd", action) if watched else (action(), False)
        check(said.out == "home=/\n", f"{name}: {said}")
        check(not was_opened, f"{name}: was opened by create")
        box = host.box()
        make(box.rootfs / "etc/passwd")
        box.background()
        action = lambda: box.exec("/bin/sh", "-c", "echo home=$HOME", timeout=5)
        said, was_opened = opened(box.rootfs / "etc/passwd", action) if watched else (action(), False)
        check(said.out == "home=/\n", f"{name}, exec: {said}")
        check(not was_opened, f"{name}: was opened by exec")
        check(time.monotonic() - start < 4, f"{name}: took {time.monotonic() - start:.1f} s")


@case("passwd-file-control")
def _(host):
    """A file of the right kind is read, and seen to be opened."""
    box = host.box("/bin/sh", "-c", "echo home=$HOME")
    path = box.rootfs / "etc/passwd"
    path.write_text("root:x:0:0::/found:/bin/sh\n")
    said, was_opened = opened(path, box.run)
    check(said.out == "home=/found\n" and was_opened, f"{said}")


@case("executed-program")
def _(host):
    """process.args[0] that is a device, a FIFO, a directory or not executable: refused, and not opened."""
    for make in (lambda path: os.mknod(path, 0o777 | 0o020000, os.makedev(1, 5)), os.mkfifo, os.mkdir, lambda path: path.write_text("")):
        box = host.box("/program")
        make(box.rootfs / "program")
        refused(box.run(timeout=5), "permission denied" if not (box.rootfs / "program").is_dir() else "directory")
