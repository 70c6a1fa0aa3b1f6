/* The groups of tests about the bus and what it is made of; each returns how many failed. */
#ifndef AIKV_TEST_BUS_TESTS_H
#define AIKV_TEST_BUS_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int bus_tests(void); /* all of the following */

int crypto_tests(void);
int frame_tests(void);
int handshake_tests(void);
int resolve_tests(void);
int mailbox_tests(void);
int bus_link_tests(void);
int bus_peer_tests(void);
int bus_hostile_tests(void);

#endif
