"""What the documentation says, held against the tree and against a running cluster."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/integration"))
from cluster import BINARY, Cluster, Node, free_ports, until  # noqa: E402

RUN_PAGES = ["docs/start/first-cluster.md", "docs/guides/write-a-policy.md", "docs/guides/triggers.md", "docs/guides/zones.md", "README.md"]
passed = failed = 0


def check(name, problem):
    """`problem` is empty, or says what is wrong."""
    global passed, failed
    if problem:
        failed += 1
        print(f"FAILED: {name}: {problem}", flush=True)
    else:
        passed += 1


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def blocks(text):
    """Fenced code blocks as (language, content, the line before)."""
    return [(m[2], m[3], m[1]) for m in re.finditer(r"([^\n]*)\n```([a-z]*)\n(.*?)\n```", text, re.S)]


# ---- the pages by themselves ----

def markdown():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [f for f in files.stdout.split() if os.path.exists(os.path.join(ROOT, f))]


def anchors(text):
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def check_links():
    for page in markdown():
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", read(page), flags=re.S)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            whole = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            problem = "" if os.path.exists(os.path.join(ROOT, whole)) else "there is no such file"
            if anchor and not problem and anchor not in anchors(read(whole)):
                problem = "there is no such heading"
            check(f"{page} links to {target}", problem)


def check_map():
    page = "docs/internals/map.md"
    top = set(os.listdir(ROOT))
    code = "".join(read(os.path.relpath(f, ROOT)) for f in glob.glob(os.path.join(ROOT, "core/*/*.[ch]")))
    prose = re.sub(r"```.*?```", "", read(page), flags=re.S)
    for token in sorted(set(re.findall(r"`([^`\n]+)`", prose))):
        word = token.split()[0]
        if re.fullmatch(r"[a-z_0-9]+\(\)", token):
            known = re.search(rf"\b{token[:-2]}\([^;]*?\)\s*(\n\{{|;)", code)
            check(f"{page} names the function {token}", "" if known else "core/ has no such function")
        elif re.fullmatch(r"struct \w+", token):
            check(f"{page} names {token}", "" if f"{token}\n{{" in code or f"{token} {{" in code else "core/ has no such struct")
        elif word.split("/")[0] in top and not word.startswith("build"):
            check(f"{page} names {word}", "" if glob.glob(os.path.join(ROOT, word)) else "there is no such path")


def headers_used_by_others():
    """Of each folder of core/, the headers that other folders include."""
    used = {}
    for path in glob.glob(os.path.join(ROOT, "core/*/*.*")):
        folder = os.path.basename(os.path.dirname(path))
        for other, header in re.findall(r'^#include "([a-z]+)/(\w+\.(?:h|def))"', read(os.path.relpath(path, ROOT)), re.M):
            if other != folder and header.endswith(".h"):
                used.setdefault(other, set()).add(f"core/{other}/{header}")
    return used


def check_map_of_folders():
    page = read("docs/internals/map.md")
    used = headers_used_by_others()
    for path in sorted(glob.glob(os.path.join(ROOT, "core/*/"))):
        folder = os.path.basename(path[:-1])
        told = re.search(rf"^- \*\*`core/{folder}`\*\*.*?(?=^- |\n\n)", page, re.M | re.S)
        check(f"the map tells of core/{folder}", "" if told else "it does not")
        if not told or folder == "base":
            continue
        for_others = set(re.findall(r"`(core/[^`]+)`", re.split(r"\bRead\s", told[0].partition("For others:")[2])[0]))
        wrong = for_others ^ used.get(folder, set())
        check(f"the map's headers of core/{folder}", f"told but not used, or used but not told: {', '.join(sorted(wrong))}" if wrong else "")
    for function, path in re.findall(r"`(\w+)\(\)`\s+of\s+`([^`]+)`", page):
        check(f"the map's {function}() of {path}", "" if re.search(rf"\b{function}\(", read(path)) else "it is not there")


def check_frames():
    page = read("docs/reference/bus.md")
    for name, number, size in re.findall(r"FRAME_TYPE\((\w+), (\d+), ([\d <]+)\)", read("core/net/frame.h")):
        value, _, shift = size.partition("<<")
        size = int(value) << int(shift or 0)
        shown = f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
        check(f"bus.md has frame {name}", "" if f"| `{name}` | {number} | {shown} |" in page else f"no row with {number} and {shown}")


def check_calls():
    page = read("docs/reference/scripts.md")
    rows = re.findall(r'\{"(METARAFT|SCRIPT)", "(\w+)"', read("core/control/call_commands.c"))
    check("there are calls", "" if rows else "none found in core/control/call_commands.c")
    for group, name in rows:
        check(f"scripts.md has {group} {name}", "" if f"## CLUSTER {group} {name}" in page else "no heading for it")


# ---- what they show, run ----

def policies(text):
    """Lua files a page shows: the line before a block names the file, or the line behind it does."""
    found = {}
    for language, content, before in blocks(text):
        name = re.search(r"`([\w-]+\.lua)`", before)
        if language == "lua" and name:
            found[name[1]] = content + "\n"
    for content, name in re.findall(r"```lua\n((?:(?!```).)*?)```\nWith that as `([\w-]+\.lua)`", text, re.S):
        found[name] = content
    return found


def commands(text, programs=r"redis-cli|lua5\.4"):
    lines = "\n".join(content for language, content, _ in blocks(text) if language in ("", "sh", "bash")).split("\n")
    lines = [line.removeprefix("$ ") for line in lines]
    return [line for line in lines if re.match(rf"(\w+=\S+ )*({programs}) ", line)]


def write_wrapper(path, port, command):
    """A script that runs `command` with its arguments, and `port` for 6379 and so on behind -p."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"""#!/usr/bin/env bash
arguments=() before=
for word in "$@"; do
    if [ "$before" = -p ]; then word=$((word - 6379 + {port})); fi
    before=$word
    arguments+=("$word")
done
exec {command} "${{arguments[@]}}"
""")
    os.chmod(path, 0o755)


def make_redis_cli(folder, port):
    """A redis-cli for whom 6379 is `port`, and an error reply an error."""
    path = os.path.join(folder, "bin")
    os.makedirs(path)
    real = subprocess.run(["which", "redis-cli"], capture_output=True, text=True, check=True).stdout.strip()
    write_wrapper(os.path.join(path, "redis-cli"), port, f"{real} -e")
    return path


def run_problem(cluster, command, output):
    """A command that starts a run: how that ended."""
    if not re.search(r"CLUSTER SCRIPT (EVAL )?RUN", command):
        return ""
    if not output.strip().isdigit():
        return "" if re.search(r"^status\s+done$", output, re.M) else output
    status = cluster.ended(int(output))
    return "" if status["status"] == "done" else f"run {output.strip()} {status['status']}: {status['error']}"


def run_page(cluster, page, folder, environment):
    text = read(page)
    for name, content in policies(text).items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(content)
    shown = commands(text)
    check(f"{page} shows commands", "" if shown else "none found")
    for command in shown:
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=30, check=False)
        problem = "" if done.returncode == 0 else (done.stdout + done.stderr).strip()[-300:] or f"exit code {done.returncode}"
        check(f"{page}: {command}", problem or run_problem(cluster, command, done.stdout))
    until(f"runs that triggers of {page} began have ended", lambda: json.loads(cluster[0]("CLUSTER", "SCRIPT", "VIEW"))["run"]["round"] == 0)


def names(value):
    """All names of fields in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))
    return set().union(*map(names, value)) if isinstance(value, list) else set()


def check_view(cluster):
    page = read("docs/reference/view.md")
    for name in sorted(names(json.loads(cluster[1]("CLUSTER", "SCRIPT", "VIEW")))):
        check(f"view.md has {name}", "" if f"`{name}`" in page else "no such field there")


def check_repair_guide():
    """Its commands, one after the other, on the directory `data` of a node that was killed; and that they did what it says."""
    page = "docs/guides/check-and-repair.md"
    with tempfile.TemporaryDirectory(prefix="aikv-docs-") as folder:
        node = Node(folder, ".", free_ports(1), ["--durability", "always"])
        node.start()
        for i in range(100):
            node("SET", f"key{i}", f"value{i}")
        node.kill()
        os.makedirs(folder + "/bin")
        os.symlink(BINARY, folder + "/bin/aikv")
        environment = {**os.environ, "PATH": folder + "/bin:" + os.environ["PATH"]}
        output = ""
        for command in commands(read(page), "aikv|cp|printf"):
            done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False)
            check(f"{page}: {command}", "" if done.returncode == 0 else (done.stdout + done.stderr)[-300:])
            output += done.stdout
        for text in ("database 0: 100 keys", 'key="key99" string value="value99"', "exit code 5\na start refuses", "give --cut-log to do it\nexit code 5",
                     "a start accepts it now"):
            check(f"{page}: the output has '{text}'", "" if text in output else output[-2000:])
        check(f"{page}: the last check is clean", "" if output.endswith("clean\n") else output[-300:])


def make_aikv(path, port):
    """An installed aikv, for whom 6379 is `port`."""
    write_wrapper(os.path.join(path, "aikv"), port, '"$HOME/.local/bin/aikv"')


def check_tool_guide(cluster):
    """The guide's commands, one after the other, with what `cmake --install` installs, in a folder with the files it shows."""
    page = "docs/guides/test-a-policy.md"
    text = read(page)
    with tempfile.TemporaryDirectory(prefix="aikv-docs-") as folder:
        os.makedirs(folder + "/bin")
        os.makedirs(folder + "/work")
        make_aikv(folder + "/bin", cluster[0].port)
        os.symlink(os.path.join(ROOT, "build"), folder + "/work/build")
        shown_file = re.search(r"in `(\w+\.lua)`:\n```lua\n(.*?)```", text, re.S)
        with open(f"{folder}/work/{shown_file[1]}", "w", encoding="utf-8") as f:
            f.write(shown_file[2])
        environment = {**os.environ, "HOME": folder, "PATH": folder + "/bin:" + os.environ["PATH"]}
        shown = [*commands(text, "aikv|cmake --install|mkdir"), *commands(read("docs/reference/tool.md"), "aikv")]
        check(f"{page} shows commands", "" if len(shown) > 15 else f"only {len(shown)}")
        for command in shown:
            done = subprocess.run(["bash", "-c", command], cwd=folder + "/work", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False)
            check(f"{page}: {command}", "" if done.returncode == 0 else (done.stdout + done.stderr)[-300:])


def check_info(cluster):
    """INFO and its page have the same fields; those that the page says are there only at times may be missing."""
    page = read("docs/reference/info.md")
    found = {re.sub(r"^(cmdstat_|latency_percentiles_usec_|errorstat_|db(?=\d)).*", r"\1…", name) for node in cluster[:6] for name in node.info("INFO everything")}
    check("INFO has fields", "" if len(found) > 50 else f"only {len(found)}")
    told = {}
    for names_told, meaning in re.findall(r"^\| ((?:`[\w…]+`(?:, )?)+) \| (.*) \|$", page, re.M):
        told.update({name: meaning for name in re.findall(r"`([^`]+)`", names_told)})
    for name in sorted(found - set(told)):
        check(f"info.md has {name}", "no row for it")
    for name, meaning in told.items():
        check(f"INFO has {name}", "" if name in found or meaning.startswith("only ") else "info.md tells of it, INFO does not have it")


def check_commands():
    with tempfile.TemporaryDirectory(prefix="aikv-docs-") as folder, Cluster() as cluster:
        for name in ("lua", "scripts", "build"):
            os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
        environment = {**os.environ, "PATH": make_redis_cli(folder, cluster[0].port) + ":" + os.environ["PATH"]}
        check("init", "" if cluster.run("init")["status"] == "done" else "the run failed")
        cluster.wait_ok()
        for page in RUN_PAGES:
            run_page(cluster, page, folder, environment)
        check_view(cluster)
        check_tool_guide(cluster)
        check_info(cluster)


def main():
    check_links()
    check_map()
    check_map_of_folders()
    check_frames()
    check_calls()
    same = policies(read("README.md")).get("more-voters.lua") == policies(read("docs/guides/write-a-policy.md")).get("more-voters.lua")
    check("the README's policy is the guide's", "" if same else "they differ")
    check_commands()
    check_repair_guide()
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
