#!/usr/bin/env bash
# Builds and runs every test; `.ci/run` calls exactly this. Installs what it needs (deploy/install-dependencies.sh).
#
# usage: run.sh [--quick | --long]
#   (none)    everything, under 20 minutes
#   --quick   unit tests, policies and checks of the source, under a minute once built: with their files in memory, where there is
#             room, and a fifth of the random policy tests
#   --long    the same as none, with the random tests and fuzzers running ten times as long, and every fault at every step of policies
# Each suite's output is in build/test-logs/. The last line is the sum over all suites: "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

mode=full
case ${1:-} in
    '') ;;
    --quick) mode=quick ;;
    --long) mode=long ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) printf "run.sh: unknown argument '%s' (try --help)\n" "$1" >&2; exit 2 ;;
esac
fuzz_seconds=20
if [ "$mode" = long ]; then fuzz_seconds=200; export AIKV_LONG=1; fi
if [ "$mode" = quick ]; then
    export AIKV_QUICK=1
    memory_kib=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
    if [ -w /dev/shm ] && [ "${memory_kib:-0}" -gt 2000000 ]; then export TMPDIR=/dev/shm; fi
fi

logs=build/test-logs
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0 started=$SECONDS

# Adds up the counts in a log: our own "N passed, N failed", cmocka's, busted's.
count() {
    awk '
        /^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3 }
        /^\[  PASSED  \] [0-9]+ test/ { p += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { f += $4 }
        /^[0-9]+ success(es)? \/ [0-9]+ failures? \/ [0-9]+ errors?/ { p += $1; f += $4 + $7 }
        END { print p + 0, f + 0 }' "$1"
}

log_of() { printf '%s/%s' "$logs" "${1//[^a-zA-Z0-9_.-]/_}"; }

# run_suite NAME COMMAND...: leaves its output in its log, and beside that its exit code and how long it took.
run_suite() {
    local log code=0 began=$SECONDS
    log=$(log_of "$1")
    shift
    "$@" </dev/null >"$log" 2>&1 || code=$?
    printf '%d %d\n' "$code" $((SECONDS - began)) >"$log.ended"
}

# Counts, and says how it went. A suite that ends badly without a failed test counts as one.
report() { # NAME
    local name=$1 log code seconds p f
    log=$(log_of "$name")
    read -r code seconds <"$log.ended"
    rm "$log.ended"
    if [ "$code" -eq 77 ]; then printf '%-34s %s\n' "$name" "$(tail -n 1 "$log")"; return; fi # "skipped: why"
    read -r p f < <(count "$log")
    if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$code" -eq 0 ] && [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; printf 'run.sh: the suite ran no test\n' >>"$log"; fi
    passed=$((passed + p)) failed=$((failed + f))
    printf '%-34s %6d passed %4d failed %5d s\n' "$name" "$p" "$f" "$seconds"
    if [ "$f" -gt 0 ]; then
        printf -- '---- %s, what failed and the end of %s:\n' "$name" "$log"
        grep -E -B 3 '^\[  FAILED  \] test_' "$log"
        tail -n 60 "$log"
        printf -- '----\n'
    fi
}

suite() { # NAME COMMAND...
    run_suite "$@"
    report "$1"
}

# Suites side by side: each begun by `beside`, all awaited and reported by `together`.
begun=()
beside() { # NAME COMMAND...
    run_suite "$@" &
    begun+=("$1")
}
together() {
    local name
    wait
    for name in "${begun[@]}"; do report "$name"; done
    begun=()
}

# As a suite of one test.
check() {
    local name=$1
    shift
    suite "$name" one_test "$@"
}
one_test() {
    if "$@"; then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; return 1; fi
}

build() {
    local preset=$1
    shift
    cmake --preset "$preset" -DAIKV_WERROR=ON && cmake --build --preset "$preset" --target "$@"
}

# One folder's unit tests, or a share of them. Failed ones are counted by cmocka; a crash, a hang or a missing binary is one more.
unit_test() { # PRESET FOLDER [SHARE]
    local ended=0
    printf '== %s %s\n' "$2" "${3:-}"
    AIKV_SHARE=${3:-1/1} timeout 600 "build/$1/test_$2" || ended=$?
    if [ "$ended" -ge 124 ]; then printf 'test_%s ended with %d\n0 passed, 1 failed\n' "$2" "$ended"; fi
    return "$ended"
}
unit_tests() { # PRESET PROCESSES FOLDER...: that many at a time: mostly they wait
    local preset=$1 processes=$2 folder
    shift 2
    export -f unit_test
    # shellcheck disable=SC2016
    for folder in "$@"; do
        if [ "$folder" = control ]; then printf 'control %s\n' {1..6}/6; else printf '%s\n' "$folder"; fi
    done | sort -r | # store, which takes longest, near the beginning
        xargs -P "$processes" -L 1 bash -c 'out=$(unit_test "$0" "$@" 2>&1); ended=$?; printf "%s\n" "$out"; exit "$((ended > 0))"' "$preset"
}

fuzz() { # TARGET
    local target=$1 corpus
    corpus=$(mktemp -d)
    nice build/fuzz/"$target" -max_total_time="$fuzz_seconds" -rss_limit_mb=2048 -timeout=30 -print_final_stats=1 -verbosity=0 -artifact_prefix="$logs/$target-" \
        "$corpus" "tests/fuzz/corpus/${target#fuzz_}" && echo '1 passed, 0 failed' || echo '0 passed, 1 failed'
    rm -rf "$corpus"
}
fuzz_all() { # two at a time: there are two cores
    local running=0 target
    for target in tests/fuzz/fuzz_*.c; do
        fuzz "$(basename "$target" .c)" &
        running=$((running + 1))
        if [ $((running % 2)) -eq 0 ]; then wait; fi
    done
    wait
}

generated_pages() {
    local code=0 name
    for name in commands configuration errors steps view; do
        if diff -u "docs/reference/$name.md" <(build/release/aikv --reference "$name"); then
            echo '1 passed, 0 failed'
        else
            printf 'write it anew: build/release/aikv --reference %s >docs/reference/%s.md\n0 passed, 1 failed\n' "$name" "$name"
            code=1
        fi
    done
    return "$code"
}

# A case of each kind, to see that they run; what comes out measures nothing.
small_benchmark() {
    tests/bench/run.sh --quick --json "$logs/bench.json" --case 'MSET*16*no' --case 'reads beside' --case AOF --case footprint --case uniform \
        --case 'larger*GET any' --case FLUSHALL --case steady && tests/bench/report.py --print "$logs/bench.json"
}

folders() { for f in tests/unit/*/; do basename "$f"; done; }

export ASAN_OPTIONS=abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp"

check 'dependencies' deploy/install-dependencies.sh --tests
suite 'layers' tests/layers.sh
check 'shellcheck' shellcheck -x -S warning deploy/*.sh tests/*.sh tests/*/*.sh .ci/run
check 'luacheck' luacheck -q lua scripts tests/lua
check 'build release' build release aikv aikv_model bench_load faults_shim faults_cut unit_tests
mapfile -t folders < <(folders)
if [ "$mode" = quick ]; then
    beside 'unit, release' unit_tests release 6 "${folders[@]}"
    # What only computes gives way to nodes that must answer in time.
    beside 'policies (busted)' nice -n 15 busted --lua=/usr/bin/lua5.4 tests/lua
    beside 'documentation' tests/docs/run.sh
    together
    suite 'reference pages' generated_pages
    suite 'load generator' build/release/bench_load --self-test
else
    check 'build asan' build asan aikv unit_tests
    suite 'unit, asan' unit_tests asan 3 "${folders[@]}"
    check 'build tsan' build tsan test_store test_net test_control
    suite 'unit, tsan' unit_tests tsan 2 store net control
    suite 'reference pages' generated_pages
    suite 'documentation' tests/docs/run.sh
    check 'build clang' build clang aikv unit_tests
    check 'build fuzz' build fuzz fuzzers
    suite 'compat' tests/compat/run.sh
    suite "compat, Redis's own tests" tests/compat/redis_suite.py
    # What only computes gives way to nodes, which mostly wait.
    beside 'integration, six processes' tests/integration/run.sh
    beside 'fuzz' fuzz_all
    together
    suite 'crashes, power cuts, faults' tests/faults/run.sh
    suite 'integration, asan' env AIKV_BINARY="$PWD/build/asan/aikv" tests/integration/run.sh test_node test_cluster.Init test_cluster.Serving
    beside 'integration, compose' tests/integration/compose.sh
    beside 'policies (busted)' nice busted --lua=/usr/bin/lua5.4 tests/lua
    together
    suite 'load generator' build/release/bench_load --self-test
    check 'benchmark, small numbers' small_benchmark
fi

printf '\n%d s; logs in %s\n' $((SECONDS - started)) "$logs"
[ "$failed" -eq 0 ] && printf 'All tests passed.\n' || printf 'SOME TESTS FAILED.\n'
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
