/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

uint32_t
interface_mtu(const char *name)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFMTU, &request) != 0 || request.ifr_mtu < 0)
		request.ifr_mtu = 0;
	close(fd);
	return (uint32_t)request.ifr_mtu;
}

static bool
is_address(const struct sockaddr *kernel, unsigned int index, const struct weir_addr *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (kernel->sa_family == AF_INET && address->family == 4) {
		memcpy(&in, kernel, sizeof(in));
		return memcmp(&in.sin_addr, address->bytes + 12, 4) == 0;
	}
	if (kernel->sa_family == AF_INET6 && address->family == 6) {
		memcpy(&in6, kernel, sizeof(in6));
		if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) && in6.sin6_scope_id != index)
			return false;
		return memcmp(&in6.sin6_addr, address->bytes, 16) == 0;
	}
	return false;
}

bool
interface_kernel_has(unsigned int index, const struct weir_addr *address, char *name)
{
	struct ifaddrs *all, *at;
	bool found = false;

	if (getifaddrs(&all) != 0)
		return false;
	for (at = all; at != NULL && !found; at = at->ifa_next) {
		found = at->ifa_addr != NULL && is_address(at->ifa_addr, index, address);
		if (found)
			snprintf(name, INTERFACE_NAME, "%s", at->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

/* A name in the abstract space, which is the namespace's own and goes with its holder. */
int
interface_claim(unsigned int index, const struct weir_addr *address)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char text[WEIR_ADDR_TEXT];
	int fd, len;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	weir_addr_format(address, text, sizeof(text));
	len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "weir/%u/%s", index, text);
	if (bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
		return fd;
	len = -errno;
	close(fd);
	return len;
}

/* IFF_RUNNING would follow up to a second later. */
static bool
has_carrier(int fd, struct ifreq *request)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};

	request->ifr_data = (char *)&link;
	return ioctl(fd, SIOCETHTOOL, request) != 0 || link.data != 0;
}

enum interface_state
interface_state(unsigned int index, char *name)
{
	struct ifreq request = {0};
	enum interface_state state = INTERFACE_UP;
	int fd;

	if (if_indextoname(index, request.ifr_name) == NULL)
		return errno == ENXIO ? INTERFACE_GONE : INTERFACE_UP;
	snprintf(name, INTERFACE_NAME, "%s", request.ifr_name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return INTERFACE_UP;
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		state = errno == ENODEV ? INTERFACE_GONE : INTERFACE_UP;
	else if ((request.ifr_flags & IFF_UP) == 0)
		state = INTERFACE_DOWN;
	else if (!has_carrier(fd, &request))
		state = INTERFACE_NO_CARRIER;
	close(fd);
	return state;
}
