"""The goals and whether results meet them: which rows, which figure, and what it must be."""
import dataclasses
import fnmatch

from table import number


UNMEASURED = "not measured"


@dataclasses.dataclass
class Goal:
    text: str          # for people, without the bound
    group: str
    names: str         # pattern of the cases
    path: str          # the figure in a row
    least: float = None
    most: float = None
    unit: str = ""
    scale: float = 1

    def bound(self):
        return f"≥ {self.least:g}{self.unit}" if self.least is not None else f"≤ {self.most:g}{self.unit}"

    def meets(self, value):
        return value >= self.least if self.least is not None else value <= self.most

    def state(self, rows):
        """Met, or by whom it was missed, with the range of the figures; or why there are none."""
        mine = [row for row in rows if row["group"] == self.group and fnmatch.fnmatch(row["name"], self.names)]
        problems = [row["problem"] for row in mine if "problem" in row]
        found = {row["name"]: number(row, self.path) * self.scale for row in mine if number(row, self.path) is not None}
        if not found:
            return problems[0] if problems else UNMEASURED
        low, high = min(found.values()), max(found.values())
        text = f"{low:.3g}{self.unit}" if len(found) == 1 else f"{low:.3g} to {high:.3g}{self.unit}"
        keys = number(mine[0], "aikv.keys")
        if keys:
            text += f" with {keys:,} keys"
        if problems:
            text += f" ({len(problems)} not measured)"
        missed = [name for name, value in found.items() if not self.meets(value)]
        if not missed:
            return f"met: {text}"
        return f"**missed**: {text}" + (f"; {', '.join(shortened(missed))}" if len(found) > 1 else "")


def shortened(names):
    """Their first words, if these tell them apart."""
    short = [name.split(",")[0] for name in names]
    return short if len(set(short)) == len(short) else names


def for_pipeline(text, names, throughput, cpu, group="throughput"):
    goals = [Goal(f"{text}: throughput by Redis's", group, names, "ratio.throughput", least=throughput)]
    return goals + ([Goal(f"{text}: CPU for a request by Redis's", group, names, "ratio.cpu", most=cpu)] if cpu else [])


GOALS = [
    *for_pipeline("pipeline 1, 50 clients, `everysec`", "*, pipeline 1, 50 clients, everysec", 1.0, 0.9),
    *for_pipeline("pipeline 16, 50 clients, `everysec`", "*, pipeline 16, 50 clients, everysec", 1.3, 0.75),
    *for_pipeline("pipeline 100, one client, `everysec`", "*, pipeline 100, 1 client, everysec", 1.5, None),
    *for_pipeline("writes, pipeline 1, 50 clients, `always`", "[!G]*, pipeline 1, 50 clients, always", 1.5, None),
    *for_pipeline("writes, pipeline 16, 50 clients, `always`", "[!G]*, pipeline 16, 50 clients, always", 2.5, None),
    *for_pipeline("redis-benchmark's list, pipeline 1", "*, pipeline 1", 1.0, 0.9, group="redis-benchmark"),
    *for_pipeline("redis-benchmark's list, pipeline 16", "*, pipeline 16", 1.3, 0.75, group="redis-benchmark"),
    *for_pipeline("one key with few elements", "*, few", 0.8, None, group="elements"),
    *for_pipeline("one key with many elements", "*, many", 0.8, None, group="elements"),
    *for_pipeline("one key with very many elements", "*, very many", 0.8, None, group="elements"),
    *for_pipeline("a stream, pipeline 1", "X*, pipeline 1, *", 1.0, None, group="elements"),
    *for_pipeline("a stream, pipeline 16", "X*[!1], [fmv]*", 1.3, None, group="elements"),
    Goal("DEL of very many elements: the longest that others wait", "stall", "DEL of a * of very many elements", "aikv.stall_ms", most=1, unit=" ms"),
    Goal("GET's p99 while 50 clients write in `always`, by Redis's", "reads beside writes", "*", "ratio.p99", most=0.33),
    Goal("restart, time to the first reply", "restart", "*", "aikv.first_reply_ms", most=1, unit=" s", scale=1e-3),
    Goal("restart, times faster than Redis", "restart", "*", "ratio.times_faster", least=20),
    Goal("zipf 0.99, `maxmemory` a quarter: RSS by Redis's", "maxmemory a quarter", "zipf*", "ratio.rss", most=0.33),
    Goal("zipf 0.99, `maxmemory` a quarter: throughput by Redis's", "maxmemory a quarter", "zipf*", "ratio.throughput", least=0.9),
    Goal("data 4 x memory: p99 of hot GETs beside cold ones", "data larger than memory", "*GET any key", "aikv.p99_us", most=1, unit=" ms", scale=1e-3),
    Goal("a million that expire within a second: p99 of others in the worst second", "expiry", "*", "aikv.p99_us", most=5, unit=" ms", scale=1e-3),
    Goal("steady rate: how many of memory, log and file grow beyond their bound", "steady", "*", "aikv.over_bounds", most=0),
]


def as_markdown(rows, unmeasured=True):
    """With `unmeasured` false without the goals that no row is about."""
    lines = ["| goal | | state |", "|---|---|---|"]
    states = [(goal, goal.state(rows)) for goal in GOALS]
    return "\n".join([*lines, *(f"| {goal.text} | {goal.bound()} | {state} |" for goal, state in states if unmeasured or state != UNMEASURED)])
