#!/usr/bin/python3
"""Compares COMMAND INFO of every command that both servers have, in RESP2 and RESP3: arity, flags, keys, categories,
tips, key specifications. A command that only AiKv has must be one of its own."""

import argparse
import sys

from resp import Connection, in_order, render

OWN = {
    "client|setinfo": "from Redis 7.2, because clients send it unasked",
    "cluster|myshardid": "from Redis 7.2",
    **{name: "from Redis 7.4" for name in ("hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist", "httl", "hpttl", "hexpiretime",
                                           "hpexpiretime")},
    "cluster|metaraft": "AiKv",
    "cluster|script": "AiKv",
    "cluster|addreplication": "AiKv",
}
FIELDS = ["name", "arity", "flags", "first key", "last key", "step", "categories", "tips", "key specifications"]


def table(connection):
    """All commands and subcommands: name → fields, rendered."""
    found = {}

    def add(entry):
        name = entry.value[0].value.decode()
        found[name] = [render(in_order(field)) for field in entry.value[:9]]
        for subcommand in entry.value[9].value:
            add(subcommand)

    for entry in connection.ask("COMMAND").value:
        add(entry)
    return found


def compare(redis, aikv):
    """Yields what is wrong."""
    for name in sorted(aikv):
        if name not in redis:
            if name not in OWN:
                yield "%s: Redis has no such command" % name
            continue
        for field, theirs, ours in zip(FIELDS, redis[name], aikv[name]):
            if theirs != ours:
                yield "%s: %s\n    redis says   %s\n    aikv says   %s" % (name, field, theirs, ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redis", type=int, metavar="PORT", required=True)
    parser.add_argument("--aikv", type=int, metavar="PORT", required=True)
    options = parser.parse_args()
    wrong = commands = 0
    for protocol in (2, 3):
        tables = []
        for port in (options.redis, options.aikv):
            connection = Connection("127.0.0.1", port)
            connection.ask("HELLO", protocol)
            tables.append(table(connection))
            connection.close()
        commands = len(tables[1])
        for text in compare(*tables):
            print("RESP%d: %s" % (protocol, text))
            wrong += 1
    print("COMMAND INFO: %d commands and subcommands, RESP2 and RESP3; %d fields differ" % (commands, wrong))
    print("1 passed, 0 failed" if not wrong else "0 passed, 1 failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
