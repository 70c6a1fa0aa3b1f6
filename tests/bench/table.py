"""Results as text: for each group of cases its columns, for the terminal and for the page."""

MIB = 1 << 20


def number(row, path):
    """row["aikv"]["p99_us"] for "aikv.p99_us"; None where there is none."""
    for name in path.split("."):
        row = row.get(name) if row is not None else None
    return row


def plain(digits=0, scale=1.0):
    return lambda value: f"{value * scale:,.{digits}f}"


def both(path, form):
    """A column of Redis's and AiKv's figure."""
    return [("redis", f"redis.{path}", form), ("aikv", f"aikv.{path}", form)]


RATE, RATIO, MICROSECONDS, MILLISECONDS, BYTES, MEGABYTES = plain(), plain(2), plain(2), plain(2, 1e-3), plain(), plain(1, 1 / MIB)


def titled(title, columns):
    return [(f"{title} {name}", path, form) for name, path, form in columns]


def growth(name):
    return [(f"{name} 2nd quarter", f"growth.{name}.second_quarter", MEGABYTES), ("end", f"growth.{name}.end", MEGABYTES)]


THROUGHPUT = [*titled("req/s", both("per_second", RATE)), ("ratio", "ratio.throughput", RATIO), ("least", "ratio.throughput_least", RATIO),
              ("most", "ratio.throughput_most", RATIO), *titled("CPU", both("cpu_us", MICROSECONDS)),
              ("ratio", "ratio.cpu", RATIO), *titled("p50", both("p50_us", MILLISECONDS)), *titled("p99", both("p99_us", MILLISECONDS))]

# Group: (heading of the page, what the figures are, columns as (title, path in the row, format)).
GROUPS = {
    "throughput": ("Throughput", "requests a second; AiKv's by Redis's as the median of the pairs, the least and the most; µs of server CPU for a "
                   "request and their ratio; latency in ms",
                   THROUGHPUT),
    "redis-benchmark": ("redis-benchmark's default list", "as for throughput; 50 clients, `everysec`, 100,000 keys or elements, values of 3 bytes", THROUGHPUT),
    "reads beside writes": ("Reads beside writes", "latency of the reader in ms, and how many writes a second there were meanwhile",
                            [*titled("p50", both("p50_us", MILLISECONDS)), *titled("p99", both("p99_us", MILLISECONDS)), ("ratio", "ratio.p99", RATIO),
                             *titled("writes/s", both("writes_per_second", RATE))]),
    "elements": ("One key with many elements", "as for throughput; 50 clients, pipeline 16, `everysec`; bytes of memory for an element, as the servers count what "
                 "they gave out for data",
                 [("elements", "aikv.keys", RATE), *titled("req/s", both("per_second", RATE)), ("ratio", "ratio.throughput", RATIO),
                  *titled("CPU", both("cpu_us", MICROSECONDS)), ("ratio", "ratio.cpu", RATIO), *titled("p99", both("p99_us", MILLISECONDS)),
                  *titled("bytes", both("bytes", BYTES)), ("ratio", "ratio.bytes", RATIO)]),
    "restart": ("Restart", "ms from the start of the process to its first reply; the files are in the kernel's page cache",
                [("keys", "aikv.keys", RATE), *titled("ms", both("first_reply_ms", RATE)), ("times faster", "ratio.times_faster", RATIO)]),
    "footprint": ("Memory and disk", "bytes for a key: resident, of that anonymous; on disk after a clean end, of that beside the log; bytes written for each of the user's",
                  [("keys", "aikv.keys", RATE), *titled("RSS", both("rss_per_key", BYTES)), ("ratio", "ratio.rss", RATIO),
                   *titled("anon", both("anonymous_per_key", BYTES)), *titled("disk", both("disk_per_key", BYTES)),
                   *titled("without log", both("file_per_key", BYTES)), *titled("written", both("written_per_byte", MICROSECONDS))]),
    "maxmemory a quarter": ("`maxmemory` at a quarter of the data", "as for throughput; resident memory in MiB, of that anonymous: the rest are pages of LMDB's file",
                            [("keys", "aikv.keys", RATE), *titled("req/s", both("per_second", RATE)), ("ratio", "ratio.throughput", RATIO), ("CPU ratio", "ratio.cpu", RATIO),
                             *titled("p99", both("p99_us", MILLISECONDS)), *titled("RSS", both("rss", MEGABYTES)), ("ratio", "ratio.rss", RATIO),
                             *titled("anon", both("anonymous", MEGABYTES)), ("ratio", "ratio.anonymous", RATIO)]),
    "data larger than memory": ("Data larger than memory", "AiKv alone: latency of hot GETs in ms, by themselves and beside the others; the others' requests a "
                                "second, their latency, and KiB read from disk for each",
                                [("keys", "aikv.keys", RATE), ("limit MiB", "aikv.limit", MEGABYTES), ("p50 alone", "aikv.alone_p50_us", MILLISECONDS),
                                 ("p99", "aikv.alone_p99_us", MILLISECONDS), ("p50 beside", "aikv.p50_us", MILLISECONDS), ("p99", "aikv.p99_us", MILLISECONDS),
                                 ("longest", "aikv.max_us", MILLISECONDS), ("others/s", "aikv.others_per_second", RATE),
                                 ("p99", "aikv.others_p99_us", MILLISECONDS), ("KiB read", "aikv.read_per_request", plain(1, 1 / 1024))]),
    "steady": ("A steady rate", "latency in ms; highest RSS, log and file in MiB in the second quarter and in the last one, how many of these grow beyond their bound",
               [(f"{server} {name}", f"{server}.{path}", form) for server in ("redis", "aikv")
                for name, path, form in [("seconds", "seconds", RATE), ("req/s", "per_second", RATE), ("p99", "p99_us", MILLISECONDS), ("longest", "max_us", MILLISECONDS),
                                         *growth("rss"), *growth("log"), *growth("file"), ("written", "written_per_byte", MICROSECONDS), ("over their bound", "over_bounds", RATE)]]),
    "expiry": ("A million that expire", "latency of other clients' GET and SET in ms until the last is gone: p99 of the worst second; how long after the last one's time "
               "that was, in s, and the CPU the server took meanwhile, in s",
               [("number", "aikv.keys", RATE), *titled("p50", both("p50_us", MILLISECONDS)), *titled("p99", both("p99_us", MILLISECONDS)),
                *titled("longest", both("max_us", MILLISECONDS)), *titled("gone", both("gone_s", MICROSECONDS)), *titled("CPU", both("cpu_s", MICROSECONDS))]),
    "stall": ("Stalls", "ms: the longest a second client's PING waited (median of the rounds, and the worst), and how long the command took",
              [("keys", "aikv.keys", RATE), *titled("stall", both("stall_ms", MICROSECONDS)), ("ratio", "ratio.stall", RATIO),
               *titled("worst", both("longest_ms", MICROSECONDS)), *titled("command", both("command_ms", MICROSECONDS))]),
}


def cells(row):
    _, _, columns = GROUPS[row["group"]]
    if "problem" in row:
        return [row["problem"]]
    found = [(form, number(row, path)) for _, path, form in columns]
    return ["-" if value is None else form(value) for form, value in found]


def is_tall(group):
    """Too many columns for a line: shown as a list, a figure a line."""
    return len(GROUPS[group][2]) > 15


def line(columns, values):
    return " ".join(value.rjust(max(len(title), 8)) for (title, _, _), value in zip(columns, values))


def as_text(row, is_first):
    """A row for the terminal, under its group's heading if it is the first of it."""
    heading, what, columns = GROUPS[row["group"]]
    lines = [f"\n{heading} ({what})".replace("`", "")] if is_first else []
    if "problem" in row:
        return "\n".join([*lines, f"{row['name']}: {row['problem']}"])
    if is_tall(row["group"]):
        return "\n".join([*lines, row["name"], *(f"  {title:24} {value:>12}" for (title, _, _), value in zip(columns, cells(row)))])
    width = 50
    if is_first:
        lines.append(" " * width + " " + line(columns, [title for title, _, _ in columns]))
    if len(row["name"]) > width:
        lines.append(row["name"])
    return "\n".join([*lines, (row["name"] if len(row["name"]) <= width else "").ljust(width) + " " + line(columns, cells(row))])
