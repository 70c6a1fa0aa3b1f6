"""Both servers at once: connections, what they tell of keys, all that they hold."""

from random_basic import DATABASES
from random_compare import all_close_enough, close_enough, comparable, show
from resp import Connection, Reply, encode

REDIS, AIKV = 0, 1  # in what there is of both
HELD = [name for name in DATABASES if name.isdigit() and int(name) < 16]


class Wrong(Exception):
    """A difference, in words."""


class Pair:
    """The same connection to both servers."""

    def __init__(self, ports, protocol):
        self.both = [Connection("127.0.0.1", port) for port in ports]
        self.open, self.queued = False, []  # since MULTI
        self.watches = False
        for connection in self.both:
            connection.ask("HELLO", protocol)

    def close(self):
        for connection in self.both:
            connection.close()

    def send(self, requests, servers=(REDIS, AIKV)):
        data = b"".join(encode([word.encode("latin-1") for word in request]) for request in requests)
        for server in servers:
            self.both[server].send(data)

    def ask(self, requests):
        self.send(requests)
        return [[connection.read() for _ in requests] for connection in self.both]

    def compare(self, request, redis, aikv):
        """Whether these replies to it, the next request, are as they should be."""
        name, queued = request[0].upper(), self.queued
        if redis.kind == "+" and redis.value == b"QUEUED":
            self.queued.append(request)
        elif name == "EXEC" or (name in ("DISCARD", "UNWATCH", "RESET") and redis.kind == "+"):
            self.open, self.queued, self.watches = False, [], False
        elif name == "WATCH":
            self.watches = True
        elif name == "MULTI" and redis.kind == "+":
            self.open = True
        return close_enough(request, redis, aikv) or (name == "EXEC" and all_close_enough(queued, redis, aikv))


class Listener:
    """Hears the keyspace notifications of both servers."""

    def __init__(self, ports):
        self.both = [Connection("127.0.0.1", port) for port in ports]
        self.speakers = [Connection("127.0.0.1", port) for port in ports]
        for connection, speaker in zip(self.both, self.speakers):
            speaker.ask("CONFIG", "SET", "notify-keyspace-events", "EA")
            connection.ask("PSUBSCRIBE", "__keyevent*", "end")
            connection.read()

    def close(self):
        for connection in self.both + self.speakers:
            connection.close()

    def heard(self):
        """What was told since the last call, by server. Of `expired` each server tells when it comes by."""
        out = []
        for connection, speaker in zip(self.both, self.speakers):
            speaker.ask("PUBLISH", "end", "")
            told = iter(lambda: [part.value for part in connection.read().value[2:]], [b"end", b""])
            out.append([message for message in told if not message[0].endswith(b"expired")])
        return out

    def waiting(self):
        """How many clients wait in a command, by server."""
        out = []
        for speaker in self.speakers:
            fields = dict(line.split(b":") for line in speaker.ask("INFO", "clients").value.splitlines() if b":" in line)
            out.append(int(fields[b"blocked_clients"]))
        return out


WHOLE = {  # by type: what tells all of a value; None: the key
    b"string": ["GET", None],
    b"hash": ["HGETALL", None],
    b"zset": ["ZRANGE", None, "0", "-1", "WITHSCORES"],
    b"set": ["SMEMBERS", None],
    b"list": ["LRANGE", None, "0", "-1"],
    b"stream": ["XINFO", "STREAM", None, "FULL", "COUNT", "0"],
}
ABOUT = [["TYPE"], ["PEXPIRETIME"], ["OBJECT", "ENCODING"]]  # asked of each key
AT_ONCE = 200  # requests in one write: those in flight fit the buffers between


def first_difference(pair):
    """Compares all that both servers hold, in every database, over a connection of its own, whose database is 0; None if it is equal."""
    for database in HELD:
        pair.ask([["SELECT", database]])
        difference = difference_of_keys(pair)
        if difference:
            return ("in database %s: %s" % (database, difference[0]),) + difference[1:]
    pair.ask([["SELECT", "0"]])
    return None


def difference_of_keys(pair):
    theirs, ours = (set(replies[0].value) for replies in pair.ask([["KEYS", "*"]]))
    if theirs != ours:
        return "keys of one alone", Reply("*", list(theirs - ours)), Reply("*", list(ours - theirs))
    keys = sorted(key.value.decode("latin-1") for key in theirs)
    for at in range(0, len(keys), AT_ONCE // len(ABOUT)):
        some = keys[at:at + AT_ONCE // len(ABOUT)]
        asked = [words + [key] for key in some for words in ABOUT]
        redis, aikv = pair.ask(asked)
        kinds = [reply.value for reply in redis[::len(ABOUT)]]
        values = [[key if word is None else word for word in WHOLE[kind]] for kind, key in zip(kinds, some) if kind in WHOLE]
        for request, theirs, ours in zip(asked, redis, aikv):
            if not close_enough(request, theirs, ours):
                return show(request), theirs, ours
        redis, aikv = pair.ask(values)
        for request, theirs, ours in zip(values, redis, aikv):
            if comparable(request, theirs) != comparable(request, ours):
                return show(request), theirs, ours
    return None
