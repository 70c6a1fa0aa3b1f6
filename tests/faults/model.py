"""What strings and keys are, for one connection that owns two databases: makes a random command and says what its reply and its
changes will be."""
import re

WHOLE = re.compile(rb"0|-?[1-9][0-9]{0,17}")
BLOCK_BYTES = 1 << 20
KEYS = 60  # so few that commands meet
FAR_MS = 4102444800000  # 2100


class Refused:
    """An error reply that begins so."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Exception) and str(other).startswith(self.text)

    def __repr__(self):
        return f"-{self.text}…"


class Command:
    """`changes`: (database, key) → (value, expiry in ms or 0), or None if it is gone, in the order they are made."""
    __slots__ = ("argv", "reply", "changes", "reply_end", "seen")

    def __init__(self, argv, reply, changes=()):
        self.argv, self.reply, self.changes = argv, reply, changes
        self.reply_end = None  # bytes of replies on its connection up to and with its own; None: no reply came
        self.seen = ()         # how many replies each connection had when it was sent


class Model:
    def __init__(self, rng, databases):
        self.rng, self.databases, self.weight = rng, databases, 1.0
        self.state, self.selected, self.serial = {}, databases[0], 0
        self.block = rng.randbytes(BLOCK_BYTES)

    # ---- material ----

    def value(self):
        self.serial += 1
        sort = self.rng.random()
        most = 100 if sort < 0.5 else 3000 if sort < 0.85 else 30_000 if sort < 0.97 else 250_000
        size = int(self.rng.randrange(most) * self.weight) + 1
        at = self.rng.randrange(BLOCK_BYTES - size) if size < BLOCK_BYTES else 0
        return b"%d:" % self.serial + self.block[at:at + size]

    def key(self):
        return b"%s%d" % (self.rng.choice((b"k", b"k", b"k", b"c")), self.rng.randrange(KEYS))

    def get(self, key, database=None):
        return self.state.get((self.selected if database is None else database, key))

    def other(self):
        return self.databases[1] if self.selected == self.databases[0] else self.databases[0]

    def command(self, argv, reply, changes=()):
        """`changes`: (key or (database, key), what it is now)."""
        whole = []
        for key, row in changes:
            where = key if isinstance(key, tuple) else (self.selected, key)
            whole.append((where, row))
            if row is None:
                self.state.pop(where, None)
            else:
                self.state[where] = row
        return Command(argv, reply, whole)

    def next(self):
        return self.rng.choices(COMMANDS, WEIGHTS)[0](self)

    # ---- writes ----

    def set(self):
        key, value = self.key(), self.value()
        if key[:1] == b"c" and self.rng.random() < 0.8:
            value = b"%d" % self.rng.randrange(-1000, 1000)
        old, argv, expiry = self.get(key), [b"SET", key, value], 0
        how = self.rng.random()
        if how < 0.1:
            expiry = FAR_MS + self.serial
            argv += [b"PXAT", b"%d" % expiry]
        elif how < 0.2:
            expiry = old[1] if old else 0
            argv += [b"KEEPTTL"]
        condition = self.rng.random()
        if condition < 0.1:
            argv += [b"NX"]
        elif condition < 0.2:
            argv += [b"XX"]
        done = condition >= 0.2 or (old is None) == (condition < 0.1)
        changes = [(key, (value, expiry))] if done else []
        if self.rng.random() < 0.1:
            return self.command(argv + [b"GET"], old and old[0], changes)
        return self.command(argv, "OK" if done else None, changes)

    def setnx(self):
        key, value = self.key(), self.value()
        new = self.get(key) is None
        return self.command([b"SETNX", key, value], int(new), [(key, (value, 0))] if new else [])

    def getset(self):
        key, value = self.key(), self.value()
        old = self.get(key)
        return self.command([b"GETSET", key, value], old and old[0], [(key, (value, 0))])

    def getdel(self):
        key = self.key()
        old = self.get(key)
        return self.command([b"GETDEL", key], old and old[0], [(key, None)] if old else [])

    def incrby(self):
        key, by = b"c%d" % self.rng.randrange(KEYS), self.rng.randrange(-50, 100)
        old = self.get(key) or (b"0", 0)
        if not WHOLE.fullmatch(old[0]):
            return self.command([b"INCRBY", key, b"%d" % by], Refused("ERR value is not an integer"))
        now = int(old[0]) + by
        return self.command([b"INCRBY", key, b"%d" % by], now, [(key, (b"%d" % now, old[1]))])

    def append(self):
        key, value = self.key(), self.value()
        old = self.get(key) or (b"", 0)
        if len(old[0]) > 500_000:
            return self.delete()
        now = old[0] + value
        return self.command([b"APPEND", key, value], len(now), [(key, (now, old[1]))])

    def setrange(self):
        key, value = self.key(), self.value()
        old = self.get(key) or (b"", 0)
        at = self.rng.randrange(len(old[0]) + 100)
        if len(old[0]) > 500_000 or self.rng.random() < 0.05:
            value = value[:50]
        now = old[0][:at].ljust(at, b"\0") + value + old[0][at + len(value):]
        return self.command([b"SETRANGE", key, b"%d" % at, value], len(now), [(key, (now, old[1]))])

    def mset(self):
        pairs = {self.key(): self.value() for _ in range(self.rng.randrange(1, 12))}
        argv = [b"MSET"] + [part for pair in pairs.items() for part in pair]
        return self.command(argv, "OK", [(key, (value, 0)) for key, value in pairs.items()])

    def msetnx(self):
        pairs = {self.key(): self.value() for _ in range(2)}
        argv = [b"MSETNX"] + [part for pair in pairs.items() for part in pair]
        new = all(self.get(key) is None for key in pairs)
        return self.command(argv, int(new), [(key, (value, 0)) for key, value in pairs.items()] if new else [])

    def delete(self):
        keys = {self.key() for _ in range(self.rng.randrange(1, 6))}
        there = [key for key in sorted(keys) if self.get(key)]
        return self.command([self.rng.choice((b"DEL", b"UNLINK")), *sorted(keys)], len(there), [(key, None) for key in there])

    def expire(self):
        key = self.key()
        old = self.get(key)
        self.serial += 1
        if self.rng.random() < 0.1:
            return self.command([b"PEXPIREAT", key, b"1"], int(old is not None), [(key, None)] if old else [])
        at = FAR_MS + self.serial
        return self.command([b"PEXPIREAT", key, b"%d" % at], int(old is not None), [(key, (old[0], at))] if old else [])

    def persist(self):
        key = self.key()
        old = self.get(key)
        has = old is not None and old[1] != 0
        if self.rng.random() < 0.5:
            return self.command([b"GETEX", key, b"PERSIST"], old and old[0], [(key, (old[0], 0))] if has else [])
        return self.command([b"PERSIST", key], int(has), [(key, (old[0], 0))] if has else [])

    def rename(self):
        source, target = self.key(), self.key()
        old, there = self.get(source), self.get(target)
        only_new = self.rng.random() < 0.4
        argv = [b"RENAMENX" if only_new else b"RENAME", source, target]
        if old is None:
            return self.command(argv, Refused("ERR no such key"))
        if source == target or (only_new and there):
            return self.command(argv, 0 if only_new else "OK")
        return self.command(argv, 1 if only_new else "OK", [(source, None), (target, old)])

    def copy(self):
        source, target = self.key(), self.key()
        database = self.rng.choice(self.databases)
        if source == target:
            database = self.other()
        old, there = self.get(source), self.get(target, database)
        replace = self.rng.random() < 0.5
        argv = [b"COPY", source, target, b"DB", b"%d" % database] + [b"REPLACE"] * replace
        done = old is not None and (replace or there is None)
        return self.command(argv, int(done), [((database, target), old)] if done else [])

    def move(self):
        key, target = self.key(), self.other()
        old, there = self.get(key), self.get(key, target)
        done = old is not None and there is None
        return self.command([b"MOVE", key, b"%d" % target], int(done), [(key, None), ((target, key), old)] if done else [])

    def swapdb(self):
        first, second = self.databases
        now = {where: None for where in self.state}
        now.update({(first + second - database, key): row for (database, key), row in self.state.items()})
        return self.command([b"SWAPDB", b"%d" % first, b"%d" % second], "OK", list(now.items()))

    def flushdb(self):
        return self.command([b"FLUSHDB"], "OK", [(where, None) for where in list(self.state) if where[0] == self.selected])

    def select(self):
        self.selected = self.rng.choice(self.databases)
        return self.command([b"SELECT", b"%d" % self.selected], "OK")

    # ---- reads ----

    def read(self):
        key = self.key()
        row = self.get(key)
        which = self.rng.randrange(6)
        if which == 0:
            return self.command([b"STRLEN", key], len(row[0]) if row else 0)
        if which == 1:
            at = self.rng.randrange(1000)
            return self.command([b"GETRANGE", key, b"%d" % at, b"%d" % (at + 99)], row[0][at:at + 100] if row else b"")
        if which == 2:
            return self.command([b"PEXPIRETIME", key], -2 if row is None else row[1] or -1)
        if which == 3:
            return self.command([b"DBSIZE"], sum(where[0] == self.selected for where in self.state))
        if which == 4:
            keys = [self.key() for _ in range(4)]
            rows = [self.get(k) for k in keys]
            return self.command([b"MGET", *keys], [r and r[0] for r in rows])
        return self.command([b"GET", key], row and row[0])


M = Model
COMMANDS, WEIGHTS = zip(
    (M.set, 30), (M.incrby, 12), (M.append, 8), (M.setrange, 8), (M.mset, 8), (M.delete, 5), (M.getdel, 3), (M.getset, 3), (M.setnx, 2),
    (M.msetnx, 1), (M.expire, 5), (M.persist, 3), (M.rename, 3), (M.copy, 3), (M.move, 2), (M.swapdb, 0.15), (M.flushdb, 0.25),
    (M.select, 1), (M.read, 12))
