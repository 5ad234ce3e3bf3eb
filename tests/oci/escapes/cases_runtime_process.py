"""The runtime's own process: its binary, its descriptors, its privileges, as seen from a container."""
import os
import shutil

from harness import case, check, escaped, held, refused


def attack_by_exec(host, program, entries):
    """CVE-2019-5736: a container that waits for the runtime to come in by exec."""
    box = host.box("/attack", "hold-exe", "1.5")
    box.add_capability("CAP_SYS_PTRACE")
    evil = box.rootfs / "bin/evil"
    evil.write_text("#!/proc/self/exe\n")
    evil.chmod(0o755)
    attack = box.background().until_ready()
    for _ in range(entries):
        box.exec(program, timeout=5)
    return attack.finish()


@case("self-exe-script")
def _(host):
    said = attack_by_exec(host, "/bin/evil", 20)
    held(said)
    check("programs seen 0," not in said.out, f"the attack has seen nothing: {said}")


@case("self-exe-link")
def _(host):
    held(attack_by_exec(host, "/proc/self/exe", 20))


@case("self-exe-control")
def _(host):
    """The same attack on a program that enters a container naively."""
    naive = host.work / "naive"
    shutil.copy(host.work / "attack", naive)
    host.undo.append(naive.unlink)
    box = host.box("/attack", "hold-exe", "2")
    box.add_capability("CAP_SYS_PTRACE")
    # Another file than the container's own: the naive one is the copy on the host.
    attack = box.background().until_ready()
    pid = box.state()["pid"]
    host.call([str(naive), "naive-enter", str(pid), "plain", "/bin/true"])
    escaped(attack.finish())
    check(naive.read_bytes().startswith(b"#!/bin/sh"), "the naive program was not overwritten")


@case("self-exe-entry")
def _(host):
    """The image's own entry point executes whoever executes it."""
    box = host.box("/bin/evil")
    evil = box.rootfs / "bin/evil"
    evil.write_text("#!/proc/self/exe\n")
    evil.chmod(0o755)
    said = box.run(timeout=5)
    check(said.status == 1 and "caisson" not in said.out, f"something of ours was executed: {said}")


def exe_while_created(host, shared):
    """The window between create and start: init is still the runtime. A process beside it, with CAP_SYS_PTRACE,
    holds its binary until it may be written to."""
    box = host.box("/bin/sleep", "3")
    box.add_capability("CAP_SYS_PTRACE")
    if shared:
        other = host.box("/attack", "hold-exe", "2")
        other.add_capability("CAP_SYS_PTRACE")
        attack = other.background().until_ready()
        for one in box.linux["namespaces"]:
            if one["type"] == "pid":
                one["path"] = f"/proc/{other.state()['pid']}/ns/pid"
        said = box.create()
    else:
        said = box.create()
        attack = box.background_exec("/attack", "hold-exe", "1.5").until_ready()
    check(said.status == 0, f"create: {said}")
    host.call(["/bin/sleep", "0.3"])
    said = box.start()
    check(said.status == 0, f"start: {said}")
    return attack.finish()


@case("self-exe-created")
def _(host):
    said = exe_while_created(host, shared=False)
    held(said)
    check("programs seen 0," not in said.out, f"the attack has seen nothing: {said}")


@case("self-exe-shared-pid-namespace")
def _(host):
    said = exe_while_created(host, shared=True)
    held(said)
    check("programs seen 0," not in said.out, f"the attack has seen nothing: {said}")


@case("working-directory-init")
def _(host):
    """CVE-2024-21626: a working directory that is one of the runtime's descriptors."""
    for number in range(3, 16):
        box = host.box("/attack", "climb", host.secret)
        box.process["args"] = ["/attack", "climb", str(host.secret)]
        box.process["cwd"] = f"/proc/self/fd/{number}"
        said = box.run()
        check(said.status != 42 and said.status != 1 or "failed" in said.err or "outside" in said.err, f"{number}: {said}")
    box = host.box("/attack", "climb", str(host.secret))
    (box.rootfs / "link").symlink_to("/proc/self/fd/7")
    box.process["cwd"] = "/link"
    check(box.run().status != 42, "by a symlink")


@case("working-directory-exec")
def _(host):
    box = host.box()
    box.background()
    (box.rootfs / "link").symlink_to("/proc/self/fd/7")
    for path in [f"/proc/self/fd/{number}" for number in range(3, 16)] + ["/link", "/proc/self/cwd", "/proc/1/cwd"]:
        said = box.exec("/attack", "climb", str(host.secret), flags=("--cwd", path))
        check(said.status != 42, f"{path}: {said}")


@case("working-directory-control")
def _(host):
    box = host.box()
    box.background()
    escaped(host.attack("naive-enter", box.state()["pid"], "leak", "/attack", "climb", host.secret))


def only_own(text):
    """Descriptors that a container may have: pipes, files of the test for output, its null device."""
    for line in text.splitlines():
        if line.startswith("fd "):
            _, number, target = line.split(None, 2)
            check(int(number) <= 2, f"a descriptor too many: {line}")


@case("descriptors-init")
def _(host):
    for flags in ((), ("--preserve-fds", "12")):
        said = host.box("/attack", "list-descriptors", "self", str(host.secret)).run(*flags)
        held(said)
        only_own(said.out)


@case("descriptors-exec")
def _(host):
    box = host.box()
    box.background()
    for flags in ((), ("--preserve-fds", "12")):
        said = box.exec("/attack", "list-descriptors", "self", str(host.secret), flags=flags)
        held(said)
        only_own(said.out)


@case("descriptors-control")
def _(host):
    """A descriptor that the caller does hand over is seen."""
    box = host.box("/attack", "list-descriptors", "self", str(host.secret))
    root = os.open("/", os.O_RDONLY)
    try:
        escaped(box.run("--preserve-fds", "1", pass_fds=(3,), preexec_fn=lambda: os.dup2(root, 3)))
    finally:
        os.close(root)


@case("descriptors-created")
def _(host):
    """While it waits for start, init has nothing that leads to the host; also for one that may look."""
    box = host.box("/bin/true")
    box.add_capability("CAP_SYS_PTRACE")
    said = box.create()
    check(said.status == 0, f"create: {said}")
    held(box.exec("/attack", "list-descriptors", "1", str(host.secret)))
    pid = box.state()["pid"]
    links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd") if int(name) > 2]
    bad = [link for link in links if not link.startswith("socket:") and not link.endswith("/exec.fifo")]
    check(not bad, f"init holds {bad}")
    # The fifo opened for writing would start the container: without privileges over init it can't be.
    other = host.box("/bin/true")
    said = other.create()
    check(said.status == 0, f"create: {said}")
    said = other.exec("/bin/sh", "-c", "for fd in 3 4 5 6 7 8; do echo 0 > /proc/1/fd/$fd; done")
    check(other.state()["status"] == "created", f"started from inside: {said}")


@case("ptrace-entering")
def _(host):
    """CVE-2016-9962: a process with CAP_SYS_PTRACE waits for those that enter."""
    for privileges in (("CAP_SYS_PTRACE",), ()):
        box = host.box("/attack", "hunt", "1.2", str(host.secret))
        box.add_capability(*privileges)
        attack = box.background().until_ready()
        for _ in range(10):
            box.exec("/bin/true", timeout=5)
        said = attack.finish()
        held(said)
        check("processes seen 0," not in said.out, f"the attack has seen nothing: {said}")


@case("ptrace-control")
def _(host):
    box = host.box("/attack", "hunt", "3", str(host.secret))
    box.add_capability("CAP_SYS_PTRACE")
    attack = box.background().until_ready()
    host.attack("naive-enter", box.state()["pid"], "leak", "/bin/true")
    escaped(attack.finish())


@case("ptrace-shared-pid-namespace")
def _(host):
    """A container that shares its PID namespace sees another one's init while that is set up."""
    other = host.box("/attack", "hunt", "2", str(host.secret))
    other.add_capability("CAP_SYS_PTRACE")
    attack = other.background().until_ready()
    for _ in range(5):
        box = host.box("/bin/true")
        for one in box.linux["namespaces"]:
            if one["type"] == "pid":
                one["path"] = f"/proc/{other.state()['pid']}/ns/pid"
        box.run(timeout=5)
    held(attack.finish())


@case("inheritable-capabilities")
def _(host):
    """CVE-2022-29162: what a program gets is not passed on to files with inheritable capabilities."""
    box = host.box()
    box.background()
    for flags in ((), ("--cap", "CAP_NET_ADMIN"), ("--user", "1000")):
        said = box.exec("/attack", "capabilities", flags=flags)
        for line in said.out.splitlines():
            if line.startswith(("CapInh", "CapAmb")):
                check(int(line.split()[1], 16) == 0, f"{flags}: {line}")
    # A control: asked for, they are there.
    control = host.box("/attack", "capabilities")
    control.process["capabilities"]["inheritable"] = ["CAP_CHOWN"]
    check("CapInh:\t0000000000000001" in control.run().out, "inheritable capabilities that were asked for")


@case("start-hook-privileges")
def _(host):
    """A startContainer hook is a program of the image: it runs as the container's process would."""
    box = host.box("/bin/true")
    hook = box.rootfs / "hook"
    hook.write_text("#!/bin/sh\n/attack capabilities > /hook-said\nexit 0\n")
    hook.chmod(0o755)
    box.spec["hooks"] = {"startContainer": [{"path": "/hook"}]}
    said = box.run()
    check(said.status == 0, f"{said}")
    control = host.box("/attack", "capabilities").run().out
    said = (box.rootfs / "hook-said").read_text()
    pick = lambda text: [line for line in text.splitlines() if line.startswith(("CapPrm", "CapEff", "CapBnd", "Uid"))]
    check(pick(said) == pick(control), f"the hook has {pick(said)}, the container's process {pick(control)}")


@case("identifiers")
def _(host):
    """An id is a name in the state root and nothing else."""
    for name in ("../x", "..", ".", "a/b", "/etc", "", "a\nb", ".cache", "x" * 2000, "a b", "%n"):
        box = host.box("/bin/true")
        box.id = name
        for verb in ("create", "state", "delete", "kill", "start"):
            flags = ("--",) if name.startswith("-") else ()
            refused(host.call(box.command(verb, *flags)))
    box = host.box("/bin/true")
    box.id = "-x"
    box.write()
    refused(host.call(host.runtime("create", "--bundle", str(box.bundle), "-x")))
    check(host.call(host.runtime("create", "--bundle", str(box.bundle), "--", "-x")).status == 0, "a name after --")
    check(host.call(host.runtime("delete", "--force", "--", "-x")).status == 0, "deleted by its name after --")
