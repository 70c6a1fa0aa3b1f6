#!/usr/bin/python3
"""Random requests, right and wrong, to both servers; every reply, and every keyspace notification, must be equal. RESP2 and RESP3, alone, in pipelines
and in transactions, with keys that are watched, clients that wait, subscribe and scan.

The seed is printed; AIKV_SEED or --seed plays the same requests again. Time goes on while they run, so expiries in the
future are far away, and those close by are in the past."""

import sys

from random_play import Game, parser, report


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--aikv", type=int, metavar="PORT", required=True)
    arguments.add_argument("--count", type=int, default=20000)
    options = arguments.parse_args()
    game = Game((options.redis, options.aikv), options.seed, options.big, options.history)

    def run():
        while game.counts["requests"] < options.count:
            game.turn()
        game.compare_whole()

    return report(game, "random_commands.py" + " --big" * options.big, options.seed, run)


if __name__ == "__main__":
    sys.exit(main())
