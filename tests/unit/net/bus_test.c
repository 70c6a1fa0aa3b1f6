#include <signal.h>

#include "bus_tests.h"

int bus_tests(void)
{
    signal(SIGPIPE, SIG_IGN);
    return crypto_tests() + frame_tests() + handshake_tests() + resolve_tests() + mailbox_tests() + bus_link_tests() +
           bus_peer_tests() + bus_hostile_tests();
}
