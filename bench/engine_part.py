"""The engines by what their users do: start, exec, stop, remove, list, read logs; also how their daemons start and what they hold."""
import http.client
import socket
import time

from measure import Failed, wall

ENDS_AT_ONCE = ["sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 1000 & wait $!; done"]


def part_engine(table, fs, found, floor_program):
    starts(table, fs, found, floor_program)
    life(table, found)
    streams(table, found)
    together(table, found)
    many(table, found, 100)
    if not table.quick:
        many(table, found, 1000)


def starts(table, fs, found, floor_program):
    table.take_turns("engine: the client alone (--version)", "ms", {e.name: (lambda e=e: e.call("--version")) for e in found}, 40, warm=3)
    floor = [floor_program, "-r", f"{fs}/root", "-m", "-s", "-c", "bench"]
    for name, flags, network in (("bridge", [], ["-b", "bench0"]), ("--network none", ["--network", "none"], ["-n"])):
        cases = {e.name: (lambda e=e: e.call("run", "--rm", *flags, "bench:1", "true")) for e in found}
        cases["floor"] = lambda: wall(floor + network + ["-o", f"{fs}/overlay", "--", "/bin/true"])
        table.take_turns(f"engine: run --rm ({name}) true", "ms", cases, 40, warm=3)


def life(table, found):
    """Each verb of a container's life, what comes before and after it not counted."""
    def run_detached(engine):
        taken = engine.call("run", "-d", "--name", "one", "bench:1", "sleep", "10000")
        engine.call("rm", "-f", "one")
        return taken

    def stop(engine):
        engine.call("run", "-d", "--name", "one", "bench:1", *ENDS_AT_ONCE)
        while "ready" not in engine.text("logs", "one"):
            time.sleep(0.01)
        taken = engine.call("stop", "one")
        engine.call("rm", "one")
        return taken

    def remove(engine):
        engine.call("run", "-d", "--name", "one", "bench:1", "sleep", "10000")
        return engine.call("rm", "-f", "one")

    table.take_turns("engine: run -d", "ms", {e.name: (lambda e=e: run_detached(e)) for e in found}, 20)
    table.take_turns("engine: stop", "ms", {e.name: (lambda e=e: stop(e)) for e in found}, 12)
    table.take_turns("engine: rm -f of a running one", "ms", {e.name: (lambda e=e: remove(e)) for e in found}, 20)
    for e in found:
        e.call("run", "-d", "--name", "long", "bench:1", "sleep", "10000")
    table.take_turns("engine: exec true", "ms", {e.name: (lambda e=e: e.call("exec", "long", "true")) for e in found}, 20)
    for e in found:
        e.clean()


def streams(table, found):
    """What a container says: into its log, out of it, and to a client that is attached."""
    size = (20 if table.quick else 200) << 20
    rate = lambda taken: size / (1 << 20) / taken
    speak = ["sh", "-c", f"yes 'a line of a log as it is written, so and so many bytes of it, each as long as the others' | head -c {size}"]
    keep = ["--log-driver", "json-file", "--log-opt", "max-size=2g"]

    def write(engine):
        engine.call("rm", "-f", "talker")
        begin = time.perf_counter()
        engine.call("run", "-d", "--name", "talker", *keep, "bench:1", *speak)
        engine.call("wait", "talker")
        return rate(time.perf_counter() - begin)

    for e in found:
        e.call("create", "--name", "talker", "bench:1", "true")
    table.take_turns(f"engine: log written, {size >> 20} MiB of lines", "MiB/s", {e.name: (lambda e=e: write(e)) for e in found}, 4, scale=1, warm=0)
    table.take_turns("engine: log read", "MiB/s", {e.name: (lambda e=e: rate(e.call("logs", "talker"))) for e in found}, 4, scale=1, warm=1)
    table.take_turns("engine: logs --tail 10", "ms", {e.name: (lambda e=e: e.call("logs", "--tail", "10", "talker")) for e in found}, 8)
    table.take_turns("engine: attached output, no log", "MiB/s",
                     {e.name: (lambda e=e: rate(e.call("run", "--rm", "--log-driver", "none", "bench:1", "sh", "-c", f"head -c {size} /dev/zero"))) for e in found}, 4, scale=1)
    for e in found:
        e.clean()


def together(table, found):
    table.take_turns("engine: 50 run --rm at once", "containers/s", {e.name: (lambda e=e: 50 / e.together(50, "run", "--rm", "bench:1", "true")) for e in found}, 4, scale=1, warm=0)

    def detached(engine):
        taken = engine.together(50, "run", "-d", "bench:1", "sleep", "10000")
        engine.clean()
        return 50 / taken

    table.take_turns("engine: 50 run -d at once", "containers/s", {e.name: (lambda e=e: detached(e)) for e in found}, 4, scale=1, warm=0)


def many(table, found, count):
    """Lists, and the daemon's start, with so many stopped containers."""
    table.take_turns("engine: ps -a with no container", "ms", {e.name: (lambda e=e: e.call("ps", "-a")) for e in found}, 20)
    for e in found:
        for _ in range(count // 10):
            e.together(10, "create", "bench:1", "true")
        e.call("create", "--name", "last", "bench:1", "true")
    table.take_turns(f"engine: ps -a with {count}", "ms", {e.name: (lambda e=e: e.call("ps", "-a")) for e in found}, 12)
    table.take_turns(f"engine: inspect of one among {count}", "ms", {e.name: (lambda e=e: e.call("inspect", "last")) for e in found}, 12)
    daemons = [e for e in found if e.process]
    for path in ("/_ping", "/containers/json?all=1"):
        table.take_turns(f"engine: GET {path} with {count}, one connection", "requests/s",
                         {e.name: (lambda e=e, path=path: requests_per_second(e, path)) for e in daemons}, 4, scale=1)

    def start(engine):
        engine.stop()
        return engine.start()

    table.take_turns(f"engine: daemon's start to its first answer with {count}", "ms", {e.name: (lambda e=e: start(e)) for e in daemons}, 8, warm=0)
    for e in found:
        e.clean()


def requests_per_second(engine, path, seconds=1.0):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f"{engine.dir}/s")
    begin, count = time.perf_counter(), 0
    while time.perf_counter() < begin + seconds:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise Failed(f"{path}: status {answer.status}")
        count += 1
    connection.close()
    return count / (time.perf_counter() - begin)


def part_memory(table, fs, found, floor_program):
    for e in found:
        e.clean()
        e.stop()
        e.start()
    time.sleep(2)
    total = lambda rows: sum(row[2] for row in rows.values()) / 1024
    before = {e.name: e.memory() for e in found}
    table.add("memory: idle daemon, PSS", "MiB", {name: [total(rows)] for name, rows in before.items() if rows})
    count = 50
    for e in found:
        for _ in range(count // 10):
            e.together(10, "run", "-d", "bench:1", "sleep", "10000")
    time.sleep(2)
    after = {e.name: e.memory() for e in found}
    supervisors = lambda rows: sum(row[2] for name, row in rows.items() if any(word in name for word in ("shim", "conmon", "proxy"))) / count
    table.add(f"memory: supervisor per container ({count} running), PSS", "KiB", {name: [supervisors(rows)] for name, rows in after.items()})
    table.add("memory: all of the engine per container, PSS", "KiB", {name: [(total(rows) - total(before[name])) * 1024 / count] for name, rows in after.items()})
    for e in found:
        e.clean()
