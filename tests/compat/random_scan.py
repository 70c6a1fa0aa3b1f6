"""SCAN, HSCAN, SSCAN and ZSCAN from 0 to 0 while others write: what is there the whole time is given, what never was is not."""

from random_compare import show
from random_servers import Wrong

SCANS = {"SCAN": ["KEYS", "*"], "HSCAN": ["HKEYS"], "SSCAN": ["SMEMBERS"], "ZSCAN": ["ZRANGE", "0", "-1"]}
STEP = {"HSCAN": 2, "ZSCAN": 2}  # elements of its reply for each one found


class Scan:
    """One of them, on AiKv."""

    def __init__(self, rng, connection):
        self.connection = connection
        self.name = rng.choice(list(SCANS))
        key = {"SCAN": [], "HSCAN": ["big:h", "h"], "SSCAN": ["big:s", "s"], "ZSCAN": ["big:z", "z"]}[self.name]
        self.key = [rng.choice(key)] if key else []
        self.cursor, self.count = b"0", rng.choice(["10", "1000"] if self.key and ":" not in self.key[0] else ["200", "1000"])
        self.stayed, self.been, self.found = None, set(), set()

    def is_over(self):
        return self.stayed is not None and self.cursor == b"0"

    def look(self):
        words = SCANS[self.name]
        reply = self.connection.ask(*words[:1], *self.key, *words[1:])
        there = {element.value for element in reply.value} if isinstance(reply.value, list) else set()
        self.stayed = there if self.stayed is None else self.stayed & there
        self.been |= there

    def go_on(self):
        """One call. Raises Wrong after the last one."""
        self.look()
        request = [self.name] + self.key + [self.cursor, "COUNT", self.count]
        reply = self.connection.ask(*request)
        if reply.kind == "-":
            self.cursor = b"0"
            return
        self.cursor = reply.value[0].value
        self.found |= {element.value for element in reply.value[1].value[::STEP.get(self.name, 1)]}
        if self.is_over() and not self.stayed <= self.found <= self.been:
            raise Wrong("%s %s left out %s and gave %s that never was" % (self.name, show(self.key), self.stayed - self.found, self.found - self.been))
