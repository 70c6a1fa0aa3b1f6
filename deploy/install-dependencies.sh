#!/usr/bin/env bash
# Installs what AiKv needs from Debian's packages (Debian 12 and 13). Safe to run again:
# packages that are there already are left alone, and apt is not asked.
#
# usage: install-dependencies.sh [--tests] [--docker]
#   (none)     compiler, libraries, redis-tools
#   --tests    also what tests/run.sh uses: clang, cmocka, busted, luacheck, redis-server, redis-py, hiredis, tclsh
#   --docker   also the Docker engine, compose and debootstrap
set -euo pipefail

say() { printf 'install-dependencies: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

tests='' docker=''
for argument in "$@"; do
    case $argument in
        --tests) tests=1 ;;
        --docker) docker=1 ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) die "unknown argument '$argument' (try --help)" ;;
    esac
done

command -v apt-get >/dev/null || die "this is not a Debian system: install the libraries named in $0 by hand"
. /etc/os-release
codename=${VERSION_CODENAME:-}
case $codename in
    bookworm | trixie) ;;
    *) say "made for Debian 12 and 13, this is '${PRETTY_NAME:-unknown}': trying all the same" ;;
esac

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
root() {
    if [ "${#as_root[@]}" -gt 0 ] && ! command -v sudo >/dev/null; then
        die "packages are missing ($missing) and there is no sudo: run this as root once"
    fi
    "${as_root[@]}" "$@"
}
apt() { root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }

packages=(gcc g++ cmake ninja-build pkg-config libuv1-dev liblmdb-dev liblua5.4-dev libssl-dev
    libjansson-dev libjemalloc-dev libtomlplusplus-dev redis-tools)
if [ -n "$tests" ]; then
    packages+=(clang clang-format clang-tidy libcmocka-dev lua5.4 lua-busted lua-check redis-server python3 python3-redis
        python3-hiredis libhiredis-dev shellcheck tcl)
    # libFuzzer and the sanitizers' runtime for clang are a package of their own, named by version.
    case $codename in
        bookworm) packages+=(libclang-rt-14-dev) ;;
        trixie) packages+=(libclang-rt-19-dev) ;;
    esac
fi
if [ -n "$docker" ]; then
    command -v docker >/dev/null || packages+=(docker.io)
    if ! docker compose version >/dev/null 2>&1 && ! command -v docker-compose >/dev/null; then
        packages+=(docker-compose)
    fi
    packages+=(debootstrap)
fi

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
raft_is_recent() {
    installed libraft-dev && dpkg --compare-versions "$(dpkg-query -W -f '${Version}' libraft-dev)" ge 0.22.1
}

wanted=()
for package in "${packages[@]}"; do installed "$package" || wanted+=("$package"); done
raft_is_recent || wanted+=(libraft-dev)
if [ "${#wanted[@]}" -eq 0 ]; then exit 0; fi
missing=${wanted[*]}
say "installing: $missing"

apt update -qq

# Debian 12's own libraft is 0.15, which must not be used; 0.22.1 is in the backports suite
# of the mirror that is configured already. apt takes nothing from backports that is not named.
raft=(libraft-dev)
if [ "$codename" = bookworm ] && ! raft_is_recent; then
    if ! apt-get indextargets --format '$(RELEASE)' 'Created-By: Packages' | grep -qx bookworm-backports; then
        mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
            awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
        [ -n "$mirror" ] || die "apt has no source for bookworm: add one, then bookworm-backports for libraft-dev"
        root tee /etc/apt/sources.list.d/aikv-backports.sources >/dev/null <<SOURCE
# Added by AiKv's install-dependencies.sh for libraft-dev 0.22.1.
Types: deb
URIs: $mirror
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
        apt update -qq
    fi
    raft=(libraft-dev/bookworm-backports libraft0/bookworm-backports)
fi

# Installing redis-server would start it on 6379, the port quickstart.sh wants: a policy-rc.d
# that says no, for the time of the installation only.
policy=
forget_policy() { [ -z "$policy" ] || root rm -f "$policy"; }
trap forget_policy EXIT
if [ -n "$tests" ] && ! installed redis-server && [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\ncase $1 in redis-server) exit 101 ;; esac\nexit 0\n' | root tee "$policy" >/dev/null
    root chmod 755 "$policy"
fi

others=()
for package in "${wanted[@]}"; do [ "$package" = libraft-dev ] || others+=("$package"); done
if [ "${#others[@]}" -gt 0 ]; then apt install -y -qq --no-install-recommends "${others[@]}" >/dev/null; fi
raft_is_recent || apt install -y -qq --no-install-recommends "${raft[@]}" >/dev/null
raft_is_recent || die "libraft-dev is $(dpkg-query -W -f '${Version}' libraft-dev), 0.22.1 or newer is needed"
say "done"
