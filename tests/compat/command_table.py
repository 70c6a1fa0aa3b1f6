#!/usr/bin/python3
"""Compares what COMMAND tells of every command that both servers have. INFO, in RESP2 and RESP3: arity, flags, keys,
categories, tips, key specifications. DOCS: since when, group, what is deprecated, the arguments (the rest is in words of our own). LIST
FILTERBY ACLCAT: which are in each category. A command that only AiKv has must be one of its own."""

import argparse
import sys

from resp import Connection, in_order, render

OWN = {
    "client|setinfo": "from Redis 7.2, because clients send it unasked",
    "client|no-touch": "from Redis 7.2, as it is of no harm",
    "cluster|myshardid": "from Redis 7.2",
    **{name: "from Redis 7.4" for name in ("hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist", "httl", "hpttl", "hexpiretime",
                                           "hpexpiretime")},
    "cluster|metaraft": "AiKv",
    "cluster|script": "AiKv",
    "cluster|addreplication": "AiKv",
}
ARGUMENTS = {  # that are others than Redis's
    "bitop": "the operations, as Redis 7.2",
    "client|tracking": "can only be off",
    "cluster|addslotsrange": "takes a node",
    "cluster|meet": "takes a node",
    "command|getkeys": "as Redis 7.2",
    "command|getkeysandflags": "as Redis 7.2",
    "debug": "Redis tells none",
    "pfdebug": "which subcommands there are",
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


DOCS = ["since", "group", "deprecated_since", "replaced_by"]


def pairs(flat):
    """A map, which RESP2 has flat: name → value."""
    return {name.value.decode(): value for name, value in zip(flat.value[::2], flat.value[1::2])}


def argument(flat):
    """Of Redis's fields all but since when."""
    found = {}
    for field, value in pairs(flat).items():
        if field == "arguments":
            found[field] = [argument(each) for each in value.value]
        elif field not in ("since", "deprecated_since", "summary"):
            found[field] = render(in_order(value))
    return found


def documents(connection):
    """All commands and subcommands: name → those fields of DOCS that are compared."""
    found = {}

    def add(entries):
        for name, entry in pairs(entries).items():
            fields = pairs(entry)
            found[name] = {field: render(fields[field]) for field in DOCS if field in fields}
            if "arguments" in fields and name not in ARGUMENTS:
                found[name]["arguments"] = [argument(each) for each in fields["arguments"].value]
            if "subcommands" in fields:
                add(fields["subcommands"])

    add(connection.ask("COMMAND", "DOCS"))
    return found


def categories(connection):
    """Name of a category → its commands."""
    found = {}
    for entry in connection.ask("COMMAND").value:
        for category in entry.value[6].value:
            name = category.value.decode().lstrip("@")
            if name not in found:
                listed = connection.ask("COMMAND", "LIST", "FILTERBY", "ACLCAT", name)
                found[name] = {command.value.decode() for command in listed.value}
    return found


def listed(connection):
    return {name.value.decode() for name in connection.ask("COMMAND", "LIST").value}


def compare_words(redis, aikv):
    """Yields what is wrong about DOCS and LIST."""
    ours = documents(aikv)
    for name, theirs in documents(redis).items():
        if name in ours and theirs != ours[name]:
            yield "COMMAND DOCS %s\n    redis says   %s\n    aikv says   %s" % (name, theirs, ours[name])
    known = set(ours)
    differ = (listed(aikv) - set(OWN)) ^ (listed(redis) & known)
    if differ:
        yield "COMMAND LIST: only one has " + ", ".join(sorted(differ))
    theirs = categories(redis)
    for category, commands in categories(aikv).items():
        differ = (commands - set(OWN)) ^ (theirs.get(category, set()) & known)
        if differ:
            yield "COMMAND LIST FILTERBY ACLCAT %s: only one has %s" % (category, ", ".join(sorted(differ)))


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
    both = [Connection("127.0.0.1", port) for port in (options.redis, options.aikv)]
    for text in compare_words(*both):
        print(text)
        wrong += 1
    print("COMMAND: %d commands and subcommands, RESP2 and RESP3; %d fields differ" % (commands, wrong))
    print("1 passed, 0 failed" if not wrong else "0 passed, 1 failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
