#!/usr/bin/env python3
"""Writes the results of tests/bench/run.sh --json FILE into docs/reference/performance.md, between the lines that mark them.
Of a case that is in several files, the last one's result is taken.

usage: report.py [--print | --into PART] results.json...
  --print      to standard output instead
  --into PART  between the lines <!-- PART: begin --> and <!-- PART: end -->; by default results"""
import argparse
import json
import os
import sys

import goals
import table
from steady import BOUNDS, MIB
from throughput import KEYS

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/reference/performance.md")


def introduction(found, is_only):
    o, names = found["options"], [f"{row['group']}: {row['name']}" for row in found["results"]]
    what = "Measured" if is_only else f"{names[0]} and {len(names) - 1} more, measured" if len(names) > 1 else f"{names[0]}, measured"
    return (f"{what} on {found['date']} at commit {found['commit']} with `{found['command']}`: redis-server {found['redis']} and AiKv {found['aikv']} on "
            f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB of memory, {found['system']}. Load average before: {found['load_average']:.2f}. "
            f"{o['rounds']} pairs of runs of {o['seconds']:g} s for a figure of throughput or latency, over {KEYS:,} keys; {o['keys']:,} keys where there are many; "
            f"steady: {o['steady_rate']:,} writes a second for {o['steady_seconds']:g} s; memory of a server whose data is larger: {o['memory_mb']} MiB.")


def shown(row):
    """A row's figures as a list, for groups with more columns than a page is wide."""
    _, _, columns = table.GROUPS[row["group"]]
    return [f"{title:26} {value:>12}" for (title, _, _), value in zip(columns, table.cells(row))]


def aligned(head, lines):
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    return ["  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]).rstrip() for line in [head, *lines]]


def section(group, rows):
    heading, what, columns = table.GROUPS[group]
    good = [row for row in rows if "problem" not in row]
    out = [f"### {heading}", what[0].upper() + what[1:] + ".", "", "```"]
    if good and table.is_tall(group):
        for row in good:
            out += [row["name"], *shown(row)]
    elif good:
        out += aligned(["", *(title for title, _, _ in columns)], [[row["name"], *table.cells(row)] for row in good])
    out += [f"{row['name']}: {row['problem']}" for row in rows if "problem" in row]
    return "\n".join([*out, "```"])


def bounds():
    return ", ".join(f"{name} {100 * share:g} % or {least // MIB} MiB" for name, (share, least) in BOUNDS.items())


def results(files, whole):
    rows = list({(row["group"], row["name"]): row for found in files for row in found["results"]}.values())
    parts = [*(introduction(found, len(files) == 1) for found in files), "### Goals", goals.as_markdown(rows, whole)]
    for group in table.GROUPS:
        mine = [row for row in rows if row["group"] == group]
        if mine:
            parts.append(section(group, mine))
    if any(row["group"] == "steady" for row in rows):
        parts.append(f"Bounds of the steady rate, by how much the highest of the last quarter may be over the highest of the second; the larger of the two holds: {bounds()}.")
    return "\n\n".join(parts)


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def replace(part, text):
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    if page.count(begin) != 1 or page.count(end) != 1:
        sys.exit(f"report.py: {os.path.normpath(PAGE)} does not have one line '{begin}' and one '{end}'")
    before, rest = page.split(begin)
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def main():
    p = argparse.ArgumentParser(usage=__doc__, add_help=False)
    p.add_argument("--print", action="store_true")
    p.add_argument("--into", default="results")
    p.add_argument("files", nargs="+")
    asked = p.parse_args()
    text = results([read(path) for path in asked.files], asked.into == "results")
    if asked.print:
        print(text)
    else:
        replace(asked.into, text)


main()
