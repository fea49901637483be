/* SPDX-License-Identifier: BSD-3-Clause */
#include "veth.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#define MASK_BYTES 80
#define MASK_CORES 256

char *
veth_mask(unsigned int core, char *to)
{
	int n = sprintf(to, "%x", 1u << core % 32);

	for (unsigned int word = 0; word < core / 32 && core < MASK_CORES; word++)
		n += sprintf(to + n, ",00000000");
	return to;
}

static bool
add_pair(const struct veth *net, const char *sender, const char *receiver, const char *address)
{
	return namespace_shell(&net->sender,
			       "ip link add %s mtu 1500 type veth peer name %s mtu 1500 netns "
			       "/proc/%d/fd/%d && ip addr add %s dev %s && ip link set %s up",
			       sender, receiver, (int)getpid(), net->receiver.net, address, sender,
			       sender);
}

static bool
bring_up(const struct veth *net)
{
	return namespace_shell(&net->receiver,
			       "ip addr add 198.18.0.1/24 dev %s && ip link set %s up && "
			       "ip link set %s up && ethtool -K %s gro on",
			       net->kernel_receiver, net->kernel_receiver, net->weir_receiver,
			       net->kernel_receiver);
}

/* Softirqs of what arrives at an interface run on `core`. */
static bool
steer(const struct namespace *space, const char *interface, unsigned int core)
{
	char mask[MASK_BYTES];

	return namespace_shell(space,
			       "for q in /sys/class/net/%s/queues/rx-*/rps_cpus; do "
			       "echo %s >$q || exit 1; done",
			       interface, veth_mask(core, mask));
}

static bool
steer_not(const struct namespace *space, const char *interface)
{
	return namespace_shell(space,
			       "for q in /sys/class/net/%s/queues/rx-*/rps_cpus; do "
			       "echo 0 >$q || exit 1; done",
			       interface);
}

/* Many connections after each other need many ports, and nothing but them is to be seen. */
static bool
configure(const struct namespace *space)
{
	return namespace_shell(
	    space, "cd /proc/sys/net && echo '1024 65535' >ipv4/ip_local_port_range && "
		   "echo 8192 >core/somaxconn && echo 8192 >ipv4/tcp_max_syn_backlog && "
		   "echo 1 >ipv4/tcp_tw_reuse && "
		   "{ [ ! -e ipv6/conf/default/disable_ipv6 ] || "
		   "echo 1 >ipv6/conf/default/disable_ipv6; }");
}

static const char *
set_up(struct veth *net)
{
	if (!configure(&net->sender) || !configure(&net->receiver))
		return "cannot set the limits of a network namespace";
	if (!add_pair(net, net->kernel_sender, net->kernel_receiver, "198.18.0.2/24") ||
	    !add_pair(net, net->weir_sender, net->weir_receiver, "198.19.0.2/24") || !bring_up(net))
		return "cannot make interfaces: iproute2, ethtool and veth are needed";
	/* weir's port verifies checksums and its ring takes frames of the MTU only. */
	if (!veth_segmentation(net, net->weir_sender, false) ||
	    !namespace_shell(&net->sender, "ethtool -K %s tx off >/dev/null", net->weir_sender))
		return "cannot switch offloads of an interface";
	if (!steer(&net->sender, net->kernel_sender, net->sender_core) ||
	    !steer(&net->receiver, net->kernel_receiver, net->receiver_core))
		return "cannot steer received packets to a core (RPS)";
	return NULL;
}

static unsigned int
core_of(unsigned int lcore)
{
	rte_cpuset_t cores = rte_lcore_cpuset(lcore);
	unsigned int core = 0;

	while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &cores))
		core++;
	return core;
}

const char *
veth_open(struct veth *net, unsigned int sender_lcore)
{
	const char *why = NULL;
	int pid = (int)getpid(), rc;

	if (sender_lcore >= RTE_MAX_LCORE)
		return "two lcores are needed: give EAL two, as -l 0,1";
	*net = (struct veth){.sender = {-1},
			     .receiver = {-1},
			     .sender_core = core_of(sender_lcore),
			     .receiver_core = core_of(rte_get_main_lcore())};
	snprintf(net->kernel_sender, IFNAMSIZ, "wr%da", pid);
	snprintf(net->kernel_receiver, IFNAMSIZ, "wr%db", pid);
	snprintf(net->weir_sender, IFNAMSIZ, "wr%dc", pid);
	snprintf(net->weir_receiver, IFNAMSIZ, "wr%dd", pid);
	rc = namespace_open(&net->sender);
	if (rc == 0)
		rc = namespace_open(&net->receiver);
	if (rc == -EPERM)
		why = "cannot make a network namespace: run it as root";
	else if (rc != 0)
		why = "cannot make a network namespace: is this a container without them?";
	else
		why = set_up(net);
	if (why != NULL)
		veth_close(net);
	return why;
}

void
veth_close(struct veth *net)
{
	namespace_close(&net->sender);
	namespace_close(&net->receiver);
}

bool
veth_segmentation(const struct veth *net, const char *interface, bool on)
{
	const char *word = on ? "on" : "off";

	return namespace_shell(&net->sender, "ethtool -K %s tso %s gso %s", interface, word, word);
}

bool
veth_threaded(const struct veth *net, bool on)
{
	const char *interface = net->kernel_receiver;
	bool steered = on ? steer_not(&net->receiver, interface)
			  : steer(&net->receiver, interface, net->receiver_core);

	if (!steered ||
	    !namespace_shell(&net->receiver, "echo %d >/sys/class/net/%s/threaded", on, interface))
		return false;
	return !on || namespace_shell(&net->receiver,
				      "for p in /proc/[0-9]*; do "
				      "read -r name <$p/comm || continue; case $name in napi/%s*) "
				      "taskset -pc %u ${p#/proc/} >/dev/null || exit 1; esac; "
				      "done 2>/dev/null",
				      interface, net->receiver_core);
}

bool
veth_weir_steered(const struct veth *net, bool on)
{
	return on ? steer(&net->receiver, net->weir_receiver, net->receiver_core)
		  : steer_not(&net->receiver, net->weir_receiver);
}
