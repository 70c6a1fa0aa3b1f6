"""Load on a node from several connections, all that was sent and answered remembered; and whether what a node has after a crash is
a beginning of that history."""
import os
import random
import socket
import struct
import threading
import time

from cluster import PATIENCE_S, ROOT, Node, ReplyError
from model import Model

SHIM = os.path.join(ROOT, "build/release/faults_shim.so")
COUNTED_DATABASE = 15
SHORT_DATABASE = 14  # its keys expire soon; DBSIZE may count those that have
BIG_ENOUGH_BYTES = 2 << 30


def memory_folder():
    """Where a test's files go: memory, if there is enough; a sync costs nothing there. None: the system's choice."""
    room = os.statvfs("/dev/shm")
    return "/dev/shm" if room.f_bavail * room.f_frsize > BIG_ENOUGH_BYTES else None


def seeded():
    """(seed, generator): AIKV_SEED's, or a new one; printed."""
    seed = int(os.environ.get("AIKV_SEED", random.randrange(1 << 30)))
    print(f"AIKV_SEED={seed}", flush=True)
    return seed, random.Random(seed)


class Server(Node):
    """A node on a port the system picks, with the shim if `shim` has settings (without AIKV_SHIM_)."""

    def __init__(self, folder, name="n", arguments=(), shim=None):
        super().__init__(folder, name, 0, arguments)
        self.plain = self.environment
        self.shim(**shim or {})

    def shim(self, **settings):
        self.environment = dict(self.plain)
        if settings:
            self.environment["LD_PRELOAD"] = SHIM
            self.environment.update({f"AIKV_SHIM_{name}": str(value) for name, value in settings.items()})
        return self

    def start(self, wait=True):
        self.port = 0
        return super().start(wait)

    def wait_ready(self):
        super().wait_ready()
        with open(self.ready) as f:
            self.port = int(f.readline().split("=")[1])

    def checkpoints(self):
        """How many were written since the start; one that is being written counts as a half."""
        info = self.info(section="persistence")
        return int(info["aikv_checkpoints"]) + int(info["aikv_checkpoint_in_progress"]) / 2

    def is_ready_or_ended(self):
        return self.process.poll() is not None or os.path.exists(self.ready)


class Connection:
    """Pipelined requests; replies as bytes, int, None, list; 'OK' and its like as text; counts the bytes of the replies."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.port = self.socket.getsockname()[1]
        self.file = self.socket.makefile("rb", 1 << 18)
        self.read_bytes = 0

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, requests):
        out = []
        for argv in requests:
            out.append(b"*%d\r\n" % len(argv))
            for arg in argv:
                out += (b"$%d\r\n" % len(arg), arg, b"\r\n")
        self.socket.sendall(b"".join(out))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection was closed")
        self.read_bytes += len(line)
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ReplyError(rest.decode())
        if kind == b":":
            return int(rest)
        if rest == b"-1":
            return None
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        data = self.file.read(int(rest) + 2)
        if kind != b"$" or len(data) != int(rest) + 2:
            raise ConnectionError("the connection was closed")
        self.read_bytes += len(data)
        return data[:-2]

    def ask(self, requests):
        """The replies to all of them; sent in parts that fit the buffers between."""
        out = []
        for at in range(0, len(requests), 50):
            part = requests[at:at + 50]
            self.send(part)
            out += [self.read() for _ in part]
        return out


def dump(port, databases=range(16)):
    """All that a node has: (database, key) → (value, expiry in ms or 0)."""
    c, out, now_ms = Connection(port), {}, int(time.time() * 1000)
    try:
        for database in databases:
            _, keys, size = c.ask([[b"SELECT", b"%d" % database], [b"KEYS", b"*"], [b"DBSIZE"]])
            assert len(keys) == size or database == SHORT_DATABASE, f"database {database} has {len(keys)} keys, DBSIZE says {size}"
            assert len(set(keys)) == len(keys), f"KEYS gives a key twice in database {database}"
            for at in range(0, len(keys), 50):
                part = keys[at:at + 50]
                replies = c.ask([request for key in part for request in ([b"GET", key], [b"PEXPIRETIME", key])])
                for key, value, expiry in zip(part, replies[::2], replies[1::2]):
                    if value is None and database == SHORT_DATABASE:
                        continue  # since KEYS
                    assert expiry < 0 or expiry >= now_ms, f"{key} of database {database} expired at {expiry}, it is {now_ms}"
                    out[database, key] = (value, max(expiry, 0))
    finally:
        c.close()
    return out


class Writer:
    """One connection's commands since `base`, the state they began with."""

    def __init__(self, number, rng):
        self.number, self.rng = number, rng
        self.model = Model(rng, (2 * number, 2 * number + 1))
        self.begin({})

    def begin(self, state):
        """From here on anew; `state`: what is there now."""
        self.base = state
        self.model.state, self.commands, self.answered, self.problem, self.port = dict(state), [], 0, None, 0

    def run(self, port, load):
        try:
            c = Connection(port)
            self.port = c.port
            c.ask([[b"SELECT", b"%d" % self.model.selected]])
            while not load.is_over:
                batch = [self.model.next() for _ in range(self.rng.choice((1, 1, 5, 20, 60)))]
                seen = tuple(w.answered for w in load.writers)
                for command in batch:
                    command.seen = seen
                self.commands += batch
                c.send([command.argv for command in batch])
                for command in batch:
                    reply = c.read()
                    command.reply_end = c.read_bytes
                    self.answered += 1
                    if command.reply != reply:
                        self.problem = f"{shown(command.argv)}: expected {shown(command.reply)}, got {shown(reply)}"
                        load.is_over = True
                        return
        except (OSError, ConnectionError):
            pass

    def answered_within(self, reply_bytes):
        return sum(c.reply_end is not None and c.reply_end <= reply_bytes for c in self.commands)

    def beginnings(self, state):
        """Numbers of commands after which the state would be `state`; with how near it came: (how many keys differ, after how many, which)."""
        now, found = dict(self.base), []
        differ = {where for where in now.keys() | state.keys() if now.get(where) != state.get(where)}
        nearest = (len(differ), 0, sorted(differ)[:5])
        for done in range(len(self.commands) + 1):
            if done > 0:
                for where, row in self.commands[done - 1].changes:
                    now[where] = row
                    if row == state.get(where):
                        differ.discard(where)
                    else:
                        differ.add(where)
            if not differ:
                found.append(done)
            elif len(differ) <= nearest[0]:
                nearest = (len(differ), done, sorted(differ)[:5])
        return found, nearest


HEAVY = 6.0  # values so large that a checkpoint soon begins where maxmemory is SMALL
SMALL = "16mb"


class Counter:
    """One connection counts, another reads: nobody is told of a value that may be lost."""

    def __init__(self):
        self.begin({})

    def begin(self, state):
        self.base = int(state.get((COUNTED_DATABASE, b"n"), (b"0",))[0])
        self.sent = self.base
        self.replies = {}  # port → [(reply end, value)]

    def run(self, port, load, argv):
        try:
            c = Connection(port)
            replies = self.replies.setdefault(c.port, [])
            c.ask([[b"SELECT", b"%d" % COUNTED_DATABASE]])
            while not load.is_over:
                self.sent += argv[0] == b"INCR"
                value = int(c.ask([argv])[0] or 0)
                replies.append((c.read_bytes, value))
        except (OSError, ConnectionError):
            pass

    def told(self, replied):
        """The highest value somebody was told; `replied`: bytes that left by port, None for all that came."""
        return max([self.base] + [value for port, replies in self.replies.items() for end, value in replies
                                  if replied is None or end <= replied.get(port, 0)])


class Short:
    """Keys that expire while there is load, or while the node is down: none comes back."""

    def __init__(self, rng):
        self.rng, self.sent = rng, {}

    def run(self, port, load):
        try:
            c = Connection(port)
            c.ask([[b"SELECT", b"%d" % SHORT_DATABASE]])
            while not load.is_over:
                key = b"s%d" % self.rng.randrange(200)
                row = (b"%d" % len(self.sent), int(time.time() * 1000) + self.rng.choice((10, 100, 2000)))
                self.sent.setdefault(key, set()).add(row)
                c.ask([[b"SET", key, row[0], b"PXAT", b"%d" % row[1]]])
        except (OSError, ConnectionError):
            pass


class Load:
    """Writers, a counter and keys that expire on one node, until it is gone or `end()`."""

    def __init__(self, rng, writers=5):
        self.writers = [Writer(i, random.Random(rng.random())) for i in range(writers)]
        self.counter, self.short = Counter(), Short(random.Random(rng.random()))
        self.is_over = False

    def start(self, port, weight=1.0):
        """`weight`: how large the values are; see HEAVY."""
        self.is_over = False
        for w in self.writers:
            w.model.weight = weight
        runs = [(w.run, (port, self)) for w in self.writers]
        runs += [(self.counter.run, (port, self, argv)) for argv in ([b"INCR", b"n"], [b"GET", b"n"])]
        runs.append((self.short.run, (port, self)))
        self.threads = [threading.Thread(target=run, args=arguments) for run, arguments in runs]
        for t in self.threads:
            t.start()

    def end(self):
        self.is_over = True
        for t in self.threads:
            t.join()

    def sent(self):
        return sum(len(w.commands) for w in self.writers)

    def begin(self, state):
        for w in self.writers:
            w.begin({where: row for where, row in state.items() if where[0] in w.model.databases})
        self.counter.begin(state)

    def problems(self, state, replied=None):
        """What is wrong with a node that has `state` after a crash, and must have what it answered: by port the bytes of replies, None for
        all that came. Nothing: each connection's keys are as after some beginning of its commands, with all that were answered; and what was
        answered before another was sent is there if that one is."""
        out, kept = [w.problem for w in self.writers if w.problem], []
        for w in self.writers:
            must = w.answered if replied is None else w.answered_within(replied.get(w.port, 0))
            found, (differ, at, keys) = w.beginnings({where: row for where, row in state.items() if where[0] in w.model.databases})
            kept.append(found)
            if not found:
                out.append(f"connection {w.number}: no beginning of its {len(w.commands)} commands, {must} to be kept; after {at} of them "
                           f"{differ} keys differ: {[(key, shown(state.get(key))) for key in keys]}")
            elif found[-1] < must:
                out.append(f"connection {w.number}: only {found[-1]} of its {len(w.commands)} commands, {must} were to be kept")
        for w, found in zip(self.writers, kept):
            if found and found[0] > 0:
                for other, needed, has in zip(self.writers, w.commands[found[0] - 1].seen, kept):
                    if has and has[-1] < needed:
                        out.append(f"connection {w.number} has its command {found[0]}, sent when {other.number} had {needed} replies; "
                                   f"of those only {has[-1]} are kept")
        counted = int(state.get((COUNTED_DATABASE, b"n"), (b"0",))[0])
        if not self.counter.told(replied) <= counted <= self.counter.sent:
            out.append(f"the counter is {counted}, was told as {self.counter.told(replied)}, sent {self.counter.sent}")
        foreign = [where for where, row in state.items() if where[0] >= 2 * len(self.writers) and where != (COUNTED_DATABASE, b"n")
                   and not (where[0] == SHORT_DATABASE and row in self.short.sent.get(where[1], ()))]
        if foreign:
            out.append(f"keys nobody wrote: {foreign[:5]}")
        return out


def shown(value):
    """Short, for messages."""
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(shown(v) for v in value[:8]) + "]"
    if isinstance(value, bytes):
        return repr(value[:40]) + (f"…{len(value)} bytes" if len(value) > 40 else "")
    return repr(value)
