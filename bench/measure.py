"""Spawning with a clock, taking turns, sums of memory, a table."""
import ctypes
import json
import os
import re
import statistics
import time

LIBC = ctypes.CDLL(None, use_errno=True)
NULL = os.open("/dev/null", os.O_RDWR)
CLONE_NEWNET = 0x40000000


class Failed(Exception):
    pass


def setns(fd):
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


HOME_NETWORK = os.open("/proc/self/ns/net", os.O_RDONLY)


class Spawned:
    """One process in a network namespace, its wall time from posix_spawn to wait4."""

    def __init__(self, argv, env=None, network=None, out=NULL, err=NULL):
        actions = [(os.POSIX_SPAWN_DUP2, NULL, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)]
        if network is not None:
            setns(network)
        self.argv, self.start = argv, time.perf_counter()
        self.pid = os.posix_spawn(argv[0], argv, {**os.environ, **(env or {})}, file_actions=actions)
        if network is not None:
            setns(HOME_NETWORK)

    def wait(self, check=True):
        _, status, self.usage = os.wait4(self.pid, 0)
        self.wall = time.perf_counter() - self.start
        code = os.waitstatus_to_exitcode(status)
        if check and code:
            raise Failed(f"exit {code}: {' '.join(self.argv)[:200]}")
        return self.wall


def wall(argv, env=None, network=None):
    return Spawned(argv, env, network).wait()


def all_at_once(argvs, env=None, network=None):
    """Wall time until the last one has ended."""
    start = time.perf_counter()
    running = [Spawned(argv, env, network) for argv in argvs]
    for process in running:
        process.wait()
    return time.perf_counter() - start


def text(argv, env=None, network=None):
    read, write = os.pipe()
    process = Spawned(argv, env, network, out=write)
    os.close(write)
    with os.fdopen(read) as stream:
        out = stream.read()
    process.wait()
    return out.strip()


def peak_rss_kib(argv, scratch):
    """Of the largest process, by time(1): a vforked child would inherit the spawner's own peak."""
    wall(["/usr/bin/time", "-f", "%M", "-o", scratch] + argv)
    return int(open(scratch).read().split()[-1])


def memory_kib(marks, root_pid=None):
    """{name: [processes, RSS, PSS]} of processes whose command line has one of the marks, or that descend from root_pid."""
    found, children, commands = {}, {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = open(f"/proc/{entry}/cmdline", "rb").read().replace(b"\0", b" ").decode(errors="replace")
            parent = int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        commands[int(entry)] = command
        children.setdefault(parent, []).append(int(entry))
    wanted = {pid for pid, command in commands.items() if pid != os.getpid() and any(mark in command for mark in marks)}
    queue = [root_pid] if root_pid else []
    while queue:
        pid = queue.pop()
        wanted.add(pid)
        queue += children.get(pid, [])
    for pid in wanted:
        try:
            rollup = open(f"/proc/{pid}/smaps_rollup").read()
            name = open(f"/proc/{pid}/comm").read().strip()
        except OSError:
            continue
        row = found.setdefault(name, [0, 0, 0])
        row[0] += 1
        row[1] += int(re.search(r"^Rss:\s+(\d+)", rollup, re.M)[1])
        row[2] += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1])
    return found


class Table:
    """Rows of (metric, unit, {who: [values]}); printed as they come, kept as JSON."""

    def __init__(self, path, quick):
        self.path, self.quick, self.rows = path, quick, []

    def add(self, metric, unit, values, reference="caisson"):
        values = {who: runs for who, runs in values.items() if runs}
        self.rows.append({"metric": metric, "unit": unit, "values": values})
        cells = []
        base = statistics.median(values[reference]) if reference in values else None
        for who, runs in values.items():
            middle = statistics.median(runs)
            ratio = f" ({middle / base:.2f}x)" if base and who != reference else ""
            cells.append(f"{who} {middle:.4g}{ratio}")
        print(f"{metric} [{unit}], {min(len(v) for v in values.values()) if values else 0} runs: " + ", ".join(cells), flush=True)
        if self.path:
            json.dump(self.rows, open(self.path, "w"), indent=1)

    def take_turns(self, metric, unit, cases, rounds, scale=1000.0, warm=1, reference="caisson"):
        """cases: {who: function that returns seconds}. One that fails is dropped, with its reason."""
        rounds = max(2, rounds // 4) if self.quick else rounds
        values, dropped = {who: [] for who in cases}, set()
        for turn in range(-warm, rounds):
            order = list(cases) if turn % 2 == 0 else list(reversed(list(cases)))
            for who in order:
                if who in dropped:
                    continue
                try:
                    value = cases[who]()
                except (Failed, OSError) as failure:
                    dropped.add(who)
                    print(f"  dropped {who}: {failure}", flush=True)
                    continue
                if turn >= 0:
                    values[who].append(value * scale)
        self.add(metric, unit, values, reference)
