"""What the engine must be like: a container as a value, and what each operation makes of it.

Written from the API's documented behaviour, not from the engine's table: the two check each other. An operation is a tuple of a
verb, a slot (the client's own containers are numbered) and arguments, and makes sense in every state, so that any part of a sequence
is a sequence: what failed can be made shorter by leaving operations out.
"""
import copy
import dataclasses
import random

MIB = 1 << 20
SLOTS = 3
# What runs: how it ends by itself, and with which codes it may end when it is told to.
COMMANDS = {
    "trap": ["sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 1000 & wait $!; done"],
    "sleep": ["sleep", "100000"],
    "quick": ["sh", "-c", "echo done; exit {code}"],
}


@dataclasses.dataclass
class Box:
    """One container. `codes`: what its exit code may be, as it depends on who was quicker."""
    name: str
    kind: str
    code: int = 0
    policy: str = ""
    retries: int = 0
    auto_remove: bool = False
    volume: bool = False
    memory: int = 64 * MIB
    networks: frozenset = frozenset()
    id: str = ""
    state: str = "created"
    codes: tuple = (0,)
    restarts: int = 0
    runs: int = 0
    stopped: bool = False  # by a client

    def with_(self, **changes):
        return dataclasses.replace(self, **changes)

    @property
    def up(self):
        return self.state in ("running", "paused")

    def body(self, network):
        host = {"Memory": self.memory, "MemorySwap": -1, "AutoRemove": self.auto_remove, "NetworkMode": network,
                "RestartPolicy": {"Name": self.policy, "MaximumRetryCount": self.retries},
                "Binds": ["/anonymous"] + ([f"{self.name.split('-')[0]}-volume:/volume"] if self.volume else [])}
        return {"Image": "busybox", "Cmd": [word.format(code=self.code) for word in COMMANDS[self.kind]], "HostConfig": host}


def started(box):
    """After a start has come to its end: what ends by itself has ended. None: removed."""
    fresh = box.with_(state="running", codes=(0,), restarts=0, runs=box.runs + 1, stopped=False)
    if box.kind != "quick":
        return fresh
    if box.auto_remove:
        return None
    again = box.retries if box.policy == "on-failure" and box.code else 0
    return fresh.with_(state="exited", codes=(box.code,), restarts=again, runs=box.runs + 1 + again)


def ended(box, codes):
    return None if box.auto_remove else box.with_(state="exited", codes=codes, stopped=True)


def after_daemon(box):
    """After a daemon's death and the next one's start."""
    if box and box.policy == "always" and box.state == "exited":
        return started(box).with_(restarts=box.restarts)
    return box


def random_operation(dice):
    verb = dice.choices(list(WEIGHTS), WEIGHTS.values())[0]
    slot = dice.randrange(SLOTS)
    if verb == "create":
        kind = dice.choice(list(COMMANDS))
        policy, retries = dice.choice([("", 0), ("", 0), ("on-failure", 2)] if kind == "quick" else
                                      [("", 0), ("", 0), ("always", 0), ("unless-stopped", 0)])
        return verb, slot, kind, dice.randrange(4) if kind == "quick" else 0, policy, retries, not policy and dice.random() < 0.2, \
            dice.random() < 0.4, dice.choice(["none", "bridge", "own"])
    if verb == "rename":
        return verb, slot, dice.choice(["same", "taken", "new", "bad"]), dice.randrange(1000)
    if verb == "update":
        return verb, slot, dice.randrange(64, 256) * MIB
    if verb == "kill":
        return verb, slot, dice.choice(["KILL", "SIGKILL", "9", "USR2", "NOSIG"])
    if verb == "exec":
        return verb, slot, dice.randrange(5)
    if verb == "put":
        return verb, slot, dice.randrange(1000)
    return verb, slot


WEIGHTS = {"create": 16, "start": 16, "stop": 7, "kill": 6, "pause": 6, "unpause": 6, "restart": 4, "remove": 4, "force": 4, "rename": 4,
           "update": 3, "exec": 6, "wait": 3, "logs": 3, "top": 2, "connect": 4, "disconnect": 4, "put": 3, "volume": 2, "list": 2}


def random_operations(seed, count):
    dice = random.Random(seed)
    return [random_operation(dice) for _ in range(count)]


# verb: {state: status}; "none" is a slot without a container. What is not here has a function in player.py.
STATUS = {
    "start": {"created": 204, "exited": 204, "running": 304, "paused": 409, "none": 404},
    "stop": {"created": 304, "exited": 304, "running": 204, "paused": 204, "none": 404},
    "kill": {"created": 409, "exited": 409, "running": 204, "paused": 204, "none": 404},
    "pause": {"created": 409, "exited": 409, "running": 204, "paused": 409, "none": 404},
    "unpause": {"created": 500, "exited": 500, "running": 500, "paused": 204, "none": 404},
    "restart": {"created": 204, "exited": 204, "running": 204, "paused": 204, "none": 404},
    "remove": {"created": 204, "exited": 204, "running": 409, "paused": 409, "none": 404},
    "force": {"created": 204, "exited": 204, "running": 204, "paused": 204, "none": 404},
    "update": {"created": 200, "exited": 200, "running": 200, "paused": 200, "none": 404},
    "exec": {"created": 409, "exited": 409, "running": 201, "paused": 409, "none": 404},
    "top": {"created": 409, "exited": 409, "running": 200, "paused": 200, "none": 404},
    "logs": {"created": 200, "exited": 200, "running": 200, "paused": 200, "none": 404},
    "put": {"created": 200, "exited": 200, "running": 200, "paused": 200, "none": 404},
}


def state_of(box):
    return box.state if box else "none"


def result(box, operation):
    """(status, box afterwards) of the verbs that change nothing but the one container."""
    verb, state = operation[0], state_of(box)
    status = STATUS[verb][state]
    if verb == "kill" and box and operation[2] == "NOSIG":
        return 400, box
    if verb == "unpause" and state == "paused":
        return status, box.with_(state="running")
    if status >= 300:
        return status, box
    if verb == "start":
        return status, started(box)
    if verb == "stop":
        return status, ended(box, (7, 137) if box.kind == "trap" else (137,))
    if verb == "kill":
        if operation[2] == "USR2":  # ignored: no handler in PID 1. It wakes what is paused, as every signal does.
            return status, box.with_(state="running") if state == "paused" else box
        return status, ended(box, (137,))
    if verb == "pause":
        return status, box.with_(state="paused")
    if verb == "restart":
        return status, started(box)
    if verb in ("remove", "force"):
        return status, None
    if verb == "update":
        return status, box.with_(memory=operation[2])
    return status, copy.copy(box)
