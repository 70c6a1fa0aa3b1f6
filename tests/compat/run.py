#!/usr/bin/python3
"""Plays transcripts against servers and compares. See README.md for the format."""

import argparse
import glob
import os
import re
import sys
import time

from resp import Closed, Connection, encode, in_order, render, split, unescape

REWRITE = os.environ.get("REWRITE") == "1"


class Failure(Exception):
    pass


class Server:
    """A server being talked to: its connections by name."""

    def __init__(self, name, host, port):
        self.name, self.host, self.port = name, host, port
        self.connections = {}

    def reset(self):
        self.close()
        self.connection("reset").ask("FLUSHALL")
        self.connections.pop("reset").close()

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.connections = {}

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = Connection(self.host, self.port)
        return self.connections[name]


def raw(text):
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", unescape, text).encode("latin-1")


def read(connection, unordered):
    """The next reply as text."""
    try:
        reply = connection.read()
    except Closed:
        return "(closed)"
    return render(in_order(reply) if unordered else reply)


class Player:
    """One transcript. Lines of requests are gathered until a reply is asked for."""

    def __init__(self, path, servers):
        self.path, self.servers = path, servers
        self.name = "a"
        self.waiting = {}  # requests not yet sent, by connection
        self.differs = self.unordered = False
        self.failures, self.replies = [], 0

    def fail(self, number, text):
        self.failures.append("%s:%d: %s" % (self.path, number, text))

    def play(self, lines):
        """Returns the lines with the replies that came."""
        return [self.line(number, line) for number, line in enumerate(lines, 1)]

    def line(self, number, line):
        if line.startswith(">> "):
            self.waiting[self.name] = self.waiting.get(self.name, b"") + raw(line[3:])
        elif line.startswith("> "):
            self.waiting[self.name] = self.waiting.get(self.name, b"") + encode(split(line[2:]))
        elif line.startswith("<"):
            return self.reply(number, line)
        elif line.startswith("@sleep "):
            self.flush()
            time.sleep(float(line.split()[1]))
        elif line.startswith("@"):
            self.flush()
            self.name = line[1:].strip()
        elif line.startswith("# differs:"):
            self.differs = True
        elif line.startswith("# unordered"):
            self.unordered = True
        elif line and not line.startswith("#"):
            self.fail(number, "not a line of a transcript: " + line)
        return line

    def flush(self):
        for name, data in self.waiting.items():
            for server in self.servers:
                server.connection(name).send(data)
        self.waiting = {}

    def reply(self, number, line):
        self.flush()
        self.replies += 1
        differs, unordered = self.differs, self.unordered
        self.differs = self.unordered = False
        got = {server.name: read(server.connection(self.name), unordered) for server in self.servers}
        if line.startswith("<~"):
            pattern = line[2:].strip()
            for name, text in got.items():
                if not re.fullmatch(pattern, text) and not (differs and name == "redis"):
                    self.fail(number, "%s says   %s\n    which does not match %s" % (name, text, pattern))
            return line
        wanted = line[1:].strip()
        if len(got) == 2:
            self.compare(number, got["redis"], got["aikv"], differs)
        for name, text in got.items():
            if name == "redis" and differs:
                continue
            if REWRITE:
                return "< " + text
            if text != wanted:
                self.fail(number, "expected   %s\n    %s says   %s" % (wanted, name, text))
        return line

    def compare(self, number, redis, aikv, differs):
        if differs and redis == aikv:
            self.fail(number, "declared as different, but both say   %s" % aikv)
        if not differs and redis != aikv:
            self.fail(number, "redis says   %s\n    aikv says   %s" % (redis, aikv))


def run(path, servers):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    if lines[0].startswith("# AiKv only:"):
        servers = [server for server in servers if server.name == "aikv"]
    for server in servers:
        server.reset()
    player = Player(path, servers)
    after = player.play(lines)
    for server in servers:
        server.close()
    if REWRITE and after != lines:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(after))
    return player


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", type=int, metavar="PORT")
    parser.add_argument("--aikv", type=int, metavar="PORT")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("transcripts", nargs="*", help="all of this folder if none is given")
    options = parser.parse_args()
    ports = {"redis": options.redis, "aikv": options.aikv}
    servers = [Server(name, options.host, port) for name, port in ports.items() if port]
    if not servers:
        parser.error("give --redis PORT, --aikv PORT, or both")
    here = os.path.dirname(os.path.abspath(__file__))
    paths = options.transcripts or sorted(glob.glob(os.path.join(here, "*.txt")))
    failed = replies = 0
    for path in paths:
        player = run(path, servers)
        replies += player.replies
        failed += bool(player.failures)
        for text in player.failures:
            print(text)
    print("transcripts: %d replies from %s" % (replies, " and ".join(server.name for server in servers)))
    print("%d passed, %d failed" % (len(paths) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
