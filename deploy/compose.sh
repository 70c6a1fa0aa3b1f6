# shellcheck shell=bash
# Sourced by start.sh and stop.sh: `compose` is the plugin where there is one, docker-compose otherwise.
if docker compose version >/dev/null 2>&1; then
    compose() { docker compose "$@"; }
elif command -v docker-compose >/dev/null; then
    compose() { docker-compose "$@"; }
else
    printf 'neither "docker compose" nor docker-compose is installed: ./install-dependencies.sh --docker\n' >&2
    exit 1
fi
