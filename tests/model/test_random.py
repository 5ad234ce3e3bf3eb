"""Random operations of several clients, compared with the model after each; the daemon is killed meanwhile."""
import random
import threading
import time

import pytest

import leftovers
import model
from api import Api
from harness import Daemon, wait_until
from player import NEVER, Player, Supervisor, Wrong

# From which events a container comes to which; what is not here says nothing about the life of its process.
EVENTS = {
    "create": (["none"], "created"), "start": (["created", "exited"], "running"), "pause": (["running"], "paused"),
    "unpause": (["paused"], "running"), "die": (["running", "paused"], "exited"), "destroy": (["created", "exited"], "gone"),
}


def seed_of(config):
    seed = config.getoption("--seed")
    return random.SystemRandom().randrange(10**6) if seed == "random" else int(seed)


@pytest.fixture
def supervisor(request):
    daemon = Daemon(f"random-{abs(hash(request.node.name)) % 10**6}").start()
    daemon.caisson("run", "--rm", "busybox", "true")
    yield Supervisor(daemon)
    daemon.stop()


def shortened(operations, seconds=60):
    """The shortest part of what failed that still fails, played alone on a daemon of its own, as far as time allows; None if none does."""
    numbers = iter(range(10**6))

    def fails(part):
        daemon = Daemon(f"replay-{time.monotonic_ns()}").start()
        player = Player(Supervisor(daemon), f"r{next(numbers)}")
        try:
            for operation in part:
                player.play(operation)
        except Wrong:
            return True
        finally:
            player.clean()
            daemon.stop()
        return False

    if not fails(operations):
        return None
    end, size = time.monotonic() + seconds, len(operations) // 2
    while size:
        start = 0
        while start < len(operations) and time.monotonic() < end:
            part = operations[:start] + operations[start + size:]
            if fails(part):
                operations = part
            else:
                start += size
        size //= 2
    return operations


def play_all(supervisor, seed, clients, operations, kills):
    """Returns the ids of all containers that there were."""
    players = [Player(supervisor, f"c{number}") for number in range(clients)]
    failures, done = [], threading.Event()

    def client(player):
        try:
            for operation in model.random_operations(f"{seed}/{player.name}", operations):
                if failures:
                    return
                player.play(operation)
        except Exception as failure:  # of whatever kind: the others are to stop, and the trace is to be told
            failures.append((player, failure))

    threads = [threading.Thread(target=client, args=(player,)) for player in players]
    dice = random.Random(f"{seed}/kills")
    for thread in threads:
        thread.start()

    def progress():
        return sum(len(player.trace) for player in players)

    for turn in range(kills):
        # By what was done, not by the clock: a seed means the same on a slow machine.
        goal = (turn + 1) * clients * operations // (kills + 1)
        while progress() < goal and not failures and any(thread.is_alive() for thread in threads):
            time.sleep(0.005)
        if failures or not any(thread.is_alive() for thread in threads):
            break
        time.sleep(dice.random() * 0.05)
        supervisor.kill_and_start()
    for thread in threads:
        thread.join()
    done.set()
    if failures:
        player, failure = failures[0]
        less = None if kills else shortened(player.trace)
        told = f"seed {seed}, client {player.name}, operation {len(player.trace)}: {player.trace[-1]}\n{failure!r}\n" \
               f"the last ones: {player.trace[-8:]}\n" + (f"shortened: {less}\n" if less else "") + supervisor.daemon.log()
        raise AssertionError(told) from failure
    for player in players:
        player.clean()
    return set().union(*(player.ids for player in players))


def check_nothing_left(daemon, ids):
    end = time.monotonic() + NEVER
    while (left := leftovers.of_containers(daemon, ids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert left == {}, "left behind"


def check_events(daemon, ids):
    """Each container's events are a path through EVENTS that ends with its removal."""
    status, text = Api(daemon.socket).get("/events", since=0, until=int(time.time()) + 1, filters='{"type":["container"]}')
    assert status == 200
    import json
    states = {}
    lines = text if isinstance(text, list) else [json.loads(line) for line in text.decode().splitlines() if line]
    for event in lines:
        action, identity = event["Action"], event["Actor"]["ID"]
        if action not in EVENTS or identity not in ids:
            continue
        before, after = EVENTS[action]
        state = states.get(identity, "none")
        assert state in before, f"container {identity}: {action} while {state}"
        states[identity] = after
    assert set(states.values()) <= {"gone"}, states


def test_without_a_crash(supervisor, request):
    seed = seed_of(request.config)
    print(f"seed {seed}")
    ids = play_all(supervisor, seed, request.config.getoption("--clients"), request.config.getoption("--operations"), 0)
    check_nothing_left(supervisor.daemon, ids)
    check_events(supervisor.daemon, ids)


def test_with_crashes(supervisor, request):
    seed = seed_of(request.config)
    print(f"seed {seed}")
    ids = play_all(supervisor, seed, request.config.getoption("--clients"), request.config.getoption("--operations"),
                   request.config.getoption("--kills"))
    check_nothing_left(supervisor.daemon, ids)


# What several clients at once may hear about a container that they share. Anything else, a 500 above all, is wrong.
SHARED = {
    "start": (204, 304, 404, 409), "stop": (204, 304, 404, 409), "kill": (204, 404, 409), "pause": (204, 404, 409), "unpause": (204, 404, 409, 500),
    "restart": (204, 404, 409), "remove": (204, 404, 409), "force": (204, 404, 409), "update": (200, 404, 409), "top": (200, 404, 409),
    "logs": (200, 404, 409), "create": (201, 409), "rename": (204, 400, 404, 409),
}


def test_containers_that_clients_share(supervisor, request):
    seed, daemon = seed_of(request.config), supervisor.daemon
    print(f"seed {seed}")
    failures, ids = [], set()

    def client(number):
        dice, api = random.Random(f"{seed}/shared/{number}"), Api(daemon.socket)
        for _ in range(request.config.getoption("--operations")):
            verb, name = dice.choice(list(SHARED)), f"shared-{dice.randrange(2)}"
            if verb == "create":
                answer = api.post("/containers/create", model.Box(name, dice.choice(["sleep", "trap", "quick"])).body("bridge"), name=name)
                if answer[0] == 201:
                    ids.add(answer[1]["Id"])
            elif verb in ("remove", "force"):
                answer = api.delete(f"/containers/{name}", v=1, force=int(verb == "force"))
            elif verb == "update":
                answer = api.post(f"/containers/{name}/update", {"Memory": dice.randrange(64, 256) * model.MIB, "MemorySwap": -1})
            elif verb == "rename":
                answer = api.post(f"/containers/{name}/rename", name=f"shared-{dice.randrange(2)}")
            elif verb in ("top", "logs"):
                answer = api.get(f"/containers/{name}/{verb}", **({"stdout": 1} if verb == "logs" else {}))
            else:
                answer = api.post(f"/containers/{name}/{verb}", t=0 if verb in ("stop", "restart") else None)
            if answer[0] not in SHARED[verb] or answer[0] == 500 and b"not paused" not in str(answer[1]).encode():
                failures.append((verb, name, answer))
            status, rows = api.get("/containers/json", all=1)
            if status != 200 or any(row["State"] not in ("created", "running", "paused", "exited", "removing") for row in rows):
                failures.append(("list", status, rows))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(request.config.getoption("--clients"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for name in ("shared-0", "shared-1"):
        Api(daemon.socket).delete(f"/containers/{name}", v=1, force=1)
    check_nothing_left(daemon, ids)
    wait_until(lambda: daemon.answers(), "the daemon answers")
    check_events(daemon, ids)
