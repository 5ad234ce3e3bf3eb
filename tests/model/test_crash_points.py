"""The daemon or a shim is killed at each named point, the next daemon starts, and everything is as the model says.

Which points an operation passes is found out by CAISSON_CRASH_LOG (src/sys/crash_point.h), so that a new point is tested from the day
on that it is there; a point that no scenario passes is a failure, unless ELSEWHERE says who tests it.
"""
import collections
import pathlib
import re
import threading
import time

import pytest

import leftovers
from harness import Daemon
from player import NEVER, Player, Supervisor, Wrong

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src"
# Operations as in model.py: verb, slot, arguments. Each scenario is short, since each is played once for every point that it passes.
SCENARIOS = {
    "run": [("create", 0, "quick", 3, "", 0, False, True, "bridge"), ("start", 0), ("logs", 0), ("remove", 0), ("volume", 0)],
    "automatic removal": [("create", 0, "quick", 1, "", 0, True, False, "bridge"), ("start", 0)],
    "restart policy": [("create", 0, "quick", 2, "on-failure", 2, False, False, "none"), ("start", 0), ("remove", 0)],
    "long life": [("create", 0, "trap", 0, "unless-stopped", 0, False, False, "own"), ("start", 0), ("exec", 0, 4), ("pause", 0), ("unpause", 0),
                  ("update", 0, 100 << 20), ("rename", 0, "new", 7), ("put", 0, 1), ("stop", 0), ("list", 0), ("start", 0), ("kill", 0, "KILL"), ("force", 0)],
    "networks": [("create", 0, "sleep", 0, "", 0, False, False, "bridge"), ("start", 0), ("connect", 0), ("disconnect", 0), ("connect", 0),
                 ("restart", 0), ("force", 0)],
}
ELSEWHERE = {
    "runtime.restore.": "needs CRIU: tests/vm/cases/checkpoint",
    "snapshot.": "snapshot_test, of both snapshotters; containers' own are passed here",
    "image.": "image_test: pulls that are killed, and random_test",
    "content.": "content_test, and the pulls of image_test",
    "net.ports.": "no scenario changes ports of a running container; config_changes_test undoes them without a kill",
    "shim.health_": "no scenario has a health check; test_health kills the daemon beside one",
    "logs.": "logs_test: rotation takes more lines than these write",
    "state.migrate.": "state_test",
    "volume.": "volume_test; the scenarios pass those of containers",
}


def all_points():
    found = set()
    for path in SOURCES.rglob("*.cc"):
        if not path.name.endswith("_test.cc"):
            found |= set(re.findall(r'CRASH_POINT\("([^"]+)"\)', path.read_text()))
    return found


class Guardian(Supervisor):
    """Notices that a process died at the point, and starts the daemon again if it was that; without the point."""

    def __init__(self, daemon):
        super().__init__(daemon)
        self.killed, self.ended = daemon.dir / "points.killed", threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        noticed = False
        while not self.ended.is_set():
            if not noticed and self.killed.exists():
                noticed = True
                time.sleep(0.02)
                self.shims_die = self.daemon.process.poll() is None
                self.life += 1
            if self.daemon.process.poll() is not None:
                noticed = True
                self.life += 1
                self.daemon.start()
            time.sleep(0.003)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.ended.set()
        self.thread.join()


def play(daemon, operations, number, at=""):
    """{point: how often one process passed it}; nothing may be left."""
    log = daemon.dir / "points"
    for path in (log, daemon.dir / "points.killed"):
        path.unlink(missing_ok=True)
    try:
        daemon.start(CAISSON_CRASH_LOG=str(log), **({"CAISSON_CRASH_AT": at} if at else {}))
    except AssertionError:
        if not (daemon.dir / "points.killed").exists():
            raise
        daemon.start()  # it died of the point before it answered
    with Guardian(daemon) as guardian:
        player = Player(guardian, f"p{number}")
        for operation in operations:
            player.play(operation)
        player.clean()
        end = time.monotonic() + NEVER
        while (left := leftovers.of_containers(daemon, player.ids)) and time.monotonic() < end:
            time.sleep(0.02)
        # The last ones to be collected are what the daemon that is there took for its own: the next one is to find nothing either.
        if left:
            raise Wrong(f"left behind: {left}")
    daemon.stop()
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    most = collections.Counter()
    for (point, _), count in collections.Counter(map(tuple, lines)).items():
        most[point] = max(most[point], count)
    return most


@pytest.fixture
def daemon():
    daemon = Daemon("points").start()
    daemon.caisson("run", "--rm", "busybox", "true")
    daemon.stop()
    yield daemon
    if daemon.process.poll() is None:
        daemon.stop()


def test_each_point(daemon, request):
    numbers, failures, passed, told = iter(range(10**6)), [], collections.Counter(), 0
    wanted, thorough = request.config.getoption("--point"), request.config.getoption("--thorough")
    for scenario, operations in SCENARIOS.items():
        counts = play(daemon, operations, next(numbers))
        for point, count in sorted(counts.items()):
            fresh = passed[point] == 0
            passed[point] += count
            if wanted not in point:
                continue
            # The first and the last time, where it was not passed before; every time if that was asked for.
            times = range(1, count + 1) if thorough else sorted({1, count}) if fresh else []
            for time_ in times:
                at = f"{point}:{time_}"
                begin = time.monotonic()
                try:
                    play(daemon, operations, next(numbers), at)
                    # How often a later one comes depends on what the daemon writes together: events, for one.
                    if time_ == 1 and not (daemon.dir / "points.killed").exists():
                        failures.append(f"{scenario}, {at}: nobody was killed there")
                except (Wrong, AssertionError) as failure:
                    failures.append(f"{scenario}, {at}: {failure}\n{daemon.log()[-1500:]}")
                    daemon.stop()
                print(f"{scenario}, {at}: {time.monotonic() - begin:.1f} s", *failures[told:], flush=True)
                told = len(failures)
    missing = sorted(point for point in all_points() - set(passed) if not point.startswith(tuple(ELSEWHERE)))
    assert not missing or wanted, f"passed by no scenario: {missing}"
    print(f"{len(passed)} points")
    assert not failures, "\n".join(failures)
