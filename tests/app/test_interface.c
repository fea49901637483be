/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's interfaces, in a namespace of its own for each case; nothing is shown without the
 * right to make one. */
#include "../unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/cli/interface.h"

static bool
own_network(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

static void
set_loopback(short flags)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	request.ifr_flags = flags;
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static struct weir_addr
address(const char *text)
{
	struct weir_addr addr;

	ck_assert_int_eq(weir_addr_parse(text, &addr), 0);
	return addr;
}

START_TEST(states)
{
	unsigned int lo;
	char name[INTERFACE_NAME] = "";

	if (!own_network())
		return;
	lo = if_nametoindex("lo");
	set_loopback(0);
	ck_assert_int_eq(interface_state(lo, name), INTERFACE_DOWN);
	ck_assert_str_eq(name, "lo");
	set_loopback(IFF_UP);
	ck_assert_int_eq(interface_state(lo, name), INTERFACE_UP);
	ck_assert_int_eq(interface_state(lo + 1000, name), INTERFACE_GONE);
}
END_TEST

START_TEST(kernels_addresses)
{
	struct weir_addr own = address("127.0.0.1"), other = address("127.0.0.2");
	char name[INTERFACE_NAME] = "";

	if (!own_network())
		return;
	set_loopback(IFF_UP); /* gives it 127.0.0.1 */
	ck_assert(interface_kernel_has(7, &own, name));
	ck_assert_str_eq(name, "lo");
	ck_assert(!interface_kernel_has(7, &other, name));
}
END_TEST

/* Link-local addresses are the same on many links, and then no conflict. */
START_TEST(kernel_addresses_of_ipv6)
{
	struct weir_addr global = address("2001:db8::77"), local = address("fe80::77");
	char name[INTERFACE_NAME] = "";

	if (!own_network())
		return;
	set_loopback(IFF_UP); /* it is number 1 */
	if (system("ip -6 addr add 2001:db8::77/64 dev lo nodad 2>/dev/null &&"
		   "ip -6 addr add fe80::77/64 dev lo nodad 2>/dev/null") != 0)
		return;
	ck_assert(interface_kernel_has(7, &global, name));
	ck_assert_str_eq(name, "lo");
	ck_assert(interface_kernel_has(1, &local, name));
	ck_assert(!interface_kernel_has(7, &local, name));
}
END_TEST

START_TEST(claims)
{
	struct weir_addr one = address("192.0.2.1"), two = address("192.0.2.2");
	int first, second;

	if (!own_network())
		return;
	first = interface_claim(3, &one);
	ck_assert_int_ge(first, 0);
	ck_assert_int_eq(interface_claim(3, &one), -EADDRINUSE);
	second = interface_claim(3, &two);
	ck_assert_int_ge(second, 0);
	close(second);
	second = interface_claim(4, &one);
	ck_assert_int_ge(second, 0);
	close(second);
	close(first);
	first = interface_claim(3, &one);
	ck_assert_int_ge(first, 0);
	close(first);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, states);
	UNIT_CASE(s, kernels_addresses);
	UNIT_CASE(s, kernel_addresses_of_ipv6);
	UNIT_CASE(s, claims);
}

UNIT_MAIN("app_interface", add)
