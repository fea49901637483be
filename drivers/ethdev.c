/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK devices: one rx and one tx queue of an ethdev port. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "engine/port.h"
#include "wire/chain.h"

#define DESCRIPTORS 1024 /* where the driver has no preference */
/* Ethernet header, two tags and the FCS, which some devices write though they do not deliver it. */
#define FRAME_OVERHEAD (14 + 8 + 4)
/* What a ring frame of af_packet holds beside the IP packet: the kernel puts the IP header 80 bytes
 * in (TPACKET_V2); two tags besides. */
#define AF_PACKET_OVERHEAD (80 + 8)
#define AF_PACKET_FRAME	   2048 /* the driver's default framesz */
#define MTU_LEAST	   576	/* RFC 791 */
#define GROUPS_MAX	   16

struct ethdev {
	struct weir_port port;
	struct weir_pool *pool; /* while running */
	uint16_t id;
	bool chains;  /* the driver sends frames of several segments */
	bool foreign; /* the program started the device: it stays as it is */
	bool closed;
};

/* What a start decides before it touches the device. */
struct plan {
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint16_t n_rx;
	uint16_t n_tx;
};

/* Some drivers report failure as -1 or as a positive number. */
static int
driver_error(int rc)
{
	return rc < -1 ? rc : -EIO;
}

static uint16_t
ethdev_rx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct ethdev *dev = ctx;

	(void)now_ns;
	return rte_eth_rx_burst(dev->id, 0, bufs, n);
}

/* Gather a chain in its first segment. */
static bool
flatten(struct ethdev *dev, struct rte_mbuf *buf)
{
	struct rte_mbuf *rest = buf->next;
	uint32_t first = buf->data_len, more = buf->pkt_len - first;

	if (more > rte_pktmbuf_tailroom(buf) || rte_mbuf_refcnt_read(buf) != 1 ||
	    !RTE_MBUF_DIRECT(buf))
		return false;
	weir_chain_copy(buf, first, more, rte_pktmbuf_mtod(buf, uint8_t *) + first);
	buf->data_len = (uint16_t)(first + more);
	buf->nb_segs = 1;
	buf->next = NULL;
	weir_buf_free(dev->pool, rest);
	return true;
}

/*
 * Drivers that cannot send chains send their first segment only, or read beyond it. A chain that
 * does not fit in one buffer is dropped: it would block what stands behind it for ever.
 */
static uint16_t
send_flat(struct ethdev *dev, struct rte_mbuf **bufs, uint16_t n)
{
	uint16_t k = 0, sent;

	while (k < n && (bufs[k]->nb_segs == 1 || flatten(dev, bufs[k])))
		k++;
	sent = rte_eth_tx_burst(dev->id, 0, bufs, k);
	if (sent == k && k < n) {
		weir_buf_free(dev->pool, bufs[k]);
		sent++;
	}
	return sent;
}

static uint16_t
ethdev_tx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct ethdev *dev = ctx;

	(void)now_ns;
	if (dev->chains)
		return rte_eth_tx_burst(dev->id, 0, bufs, n);
	return send_flat(dev, bufs, n);
}

/* Data room that a buffer needs; with a driver that scatters only its own minimum. */
static uint16_t
room_needed(const struct rte_eth_dev_info *info, uint16_t mtu, bool whole_frame)
{
	uint32_t room = whole_frame ? (uint32_t)mtu + FRAME_OVERHEAD : 1;

	if (room < info->min_rx_bufsize)
		room = info->min_rx_bufsize;
	room += RTE_PKTMBUF_HEADROOM;
	return room < UINT16_MAX ? (uint16_t)room : UINT16_MAX;
}

static bool
can_scatter(const struct rte_eth_dev_info *info)
{
	return (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
}

/*
 * These copy whole frames of a size of their own, which they do not tell, answer -ENOMEM when a
 * buffer is smaller, and tell 1500 as MTU whatever their interface of the kernel has.
 */
static bool
is_kernel_copy(const struct rte_eth_dev_info *info)
{
	return strcmp(info->driver_name, "net_af_packet") == 0 ||
	       strcmp(info->driver_name, "net_af_xdp") == 0;
}

/* It registers the pool's memory with the kernel as if its buffers stood next to each other. In
 * ordinary pages they do not, and the kernel takes none of those that lie behind. */
static bool
needs_hugepages(const struct rte_eth_dev_info *info)
{
	return strcmp(info->driver_name, "net_af_xdp") == 0;
}

/* The MTU of an interface of the kernel, `otherwise` when it cannot be asked. */
static uint32_t
interface_mtu(unsigned int index, uint32_t otherwise)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return otherwise;
	if (if_indextoname(index, request.ifr_name) != NULL &&
	    ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
		otherwise = (uint32_t)request.ifr_mtu;
	close(fd);
	return otherwise;
}

/* The longest IP packet that a ring frame of af_packet takes; longer ones are cut off. */
static uint32_t
ring_frame_mtu(const struct rte_eth_dev_info *info)
{
	const struct rte_devargs *devargs = rte_dev_devargs(info->device);
	const char *given = NULL;
	unsigned long size;

	if (strcmp(info->driver_name, "net_af_packet") != 0)
		return UINT16_MAX;
	if (devargs != NULL && devargs->args != NULL)
		given = strstr(devargs->args, "framesz=");
	size = given != NULL ? strtoul(given + strlen("framesz="), NULL, 10) : AF_PACKET_FRAME;
	return size > AF_PACKET_OVERHEAD ? (uint32_t)size - AF_PACKET_OVERHEAD : 0;
}

/* What may arrive, where the driver says `told`. */
static uint16_t
true_mtu(const struct rte_eth_dev_info *info, uint16_t told)
{
	uint32_t mtu = told, most;

	if (!is_kernel_copy(info))
		return told;
	mtu = interface_mtu(info->if_index, told);
	most = ring_frame_mtu(info);
	if (most > info->max_mtu)
		most = info->max_mtu;
	return (uint16_t)(mtu < most ? mtu : most);
}

/* Read what depends on the device and may change while it is stopped. `told` is the driver's MTU. */
static int
ethdev_read(struct ethdev *dev, struct rte_eth_dev_info *info, uint16_t *told)
{
	struct rte_ether_addr mac;

	if (rte_eth_dev_info_get(dev->id, info) != 0 || rte_eth_dev_get_mtu(dev->id, told) != 0 ||
	    rte_eth_macaddr_get(dev->id, &mac) != 0)
		return -ENODEV;
	if (needs_hugepages(info) && !rte_eal_has_hugepages())
		return -ENOTSUP;
	dev->port.mtu = true_mtu(info, *told);
	if (dev->port.mtu < MTU_LEAST)
		return -EMSGSIZE;
	memcpy(dev->port.mac, mac.addr_bytes, sizeof(dev->port.mac));
	dev->port.frame_room = room_needed(info, dev->port.mtu, !can_scatter(info));
	return 0;
}

static void
plan_descriptors(struct ethdev *dev, const struct weir_pool *pool, struct plan *plan)
{
	plan->n_rx = plan->info.default_rxportconf.ring_size;
	plan->n_tx = plan->info.default_txportconf.ring_size;
	if (plan->n_rx == 0)
		plan->n_rx = DESCRIPTORS;
	if (plan->n_tx == 0)
		plan->n_tx = DESCRIPTORS;
	/* The ring is filled from the pool: something must be left to hold what it receives. */
	if (plan->n_rx > pool->size / 2)
		plan->n_rx = (uint16_t)(pool->size / 2);
	/* Refused means no limits known: the queue set-up has the last word. */
	rte_eth_dev_adjust_nb_rx_tx_desc(dev->id, &plan->n_rx, &plan->n_tx);
}

static int
ethdev_plan(struct ethdev *dev, const struct weir_pool *pool, struct plan *plan)
{
	uint16_t told;
	int rc;

	memset(plan, 0, sizeof(*plan));
	rc = ethdev_read(dev, &plan->info, &told);
	if (rc != 0)
		return rc;
	if (pool->data_room < dev->port.frame_room)
		return -EMSGSIZE;
	plan->conf.rxmode.mtu = told; /* what the driver takes, be it true or not */
	plan->conf.rxmode.offloads = plan->info.rx_offload_capa &
				     (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	if (pool->data_room < room_needed(&plan->info, dev->port.mtu, true))
		plan->conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	plan->conf.txmode.offloads = plan->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	return 0;
}

static int
setup_rx(struct ethdev *dev, struct plan *plan, struct weir_pool *pool)
{
	struct rte_eth_rxconf rxconf = plan->info.default_rxconf;
	int rc;

	rxconf.offloads = plan->conf.rxmode.offloads;
	rc = rte_eth_rx_queue_setup(dev->id, 0, plan->n_rx,
				    (unsigned int)rte_eth_dev_socket_id(dev->id), &rxconf,
				    pool->mempool);
	if (rc == -ENOMEM && is_kernel_copy(&plan->info))
		return -EMSGSIZE;
	return rc == 0 ? 0 : driver_error(rc);
}

static int
setup_tx(struct ethdev *dev, struct plan *plan)
{
	struct rte_eth_txconf txconf = plan->info.default_txconf;
	int rc;

	txconf.offloads = plan->conf.txmode.offloads;
	rc = rte_eth_tx_queue_setup(dev->id, 0, plan->n_tx,
				    (unsigned int)rte_eth_dev_socket_id(dev->id), &txconf);
	return rc == 0 ? 0 : driver_error(rc);
}

static void
device_close(struct ethdev *dev)
{
	rte_eth_dev_stop(dev->id);
	rte_eth_dev_close(dev->id);
	dev->closed = true;
}

static int
setup_queues(struct ethdev *dev, struct plan *plan, struct weir_pool *pool)
{
	int rc = setup_rx(dev, plan, pool);

	if (rc != 0)
		return rc;
	rc = setup_tx(dev, plan);
	if (rc == 0) {
		/* Many virtual devices know no such mode, which is as good as off. */
		rte_eth_promiscuous_disable(dev->id);
		rc = rte_eth_dev_start(dev->id);
		rc = rc == 0 ? 0 : driver_error(rc);
	}
	if (rc != 0) /* the rx ring may hold buffers, and only closing is sure to free them */
		device_close(dev);
	return rc;
}

/* The program configured and started the device itself. */
static int
use_as_it_is(struct ethdev *dev)
{
	struct rte_eth_txq_info queue;

	dev->chains = rte_eth_tx_queue_info_get(dev->id, 0, &queue) == 0 &&
		      (queue.conf.offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	dev->foreign = true;
	return 0;
}

/* Of those that cannot choose many receive every group anyway. What the program started stays. */
static void
ethdev_groups(void *ctx, const uint8_t (*macs)[6], uint32_t n)
{
	struct rte_ether_addr groups[GROUPS_MAX];
	struct ethdev *dev = ctx;

	if (dev->closed || dev->foreign)
		return;
	if (n <= GROUPS_MAX) {
		for (uint32_t i = 0; i < n; i++)
			memcpy(groups[i].addr_bytes, macs[i], sizeof(groups[i].addr_bytes));
		if (rte_eth_dev_set_mc_addr_list(dev->id, groups, n) == 0)
			return;
	}
	rte_eth_allmulticast_enable(dev->id);
}

static int
ethdev_start(void *ctx, struct weir_pool *pool)
{
	struct ethdev *dev = ctx;
	struct plan plan;
	int rc;

	if (dev->closed)
		return -ENODEV;
	if (pool->mempool == NULL)
		return -ENOTSUP;
	rc = ethdev_plan(dev, pool, &plan);
	if (rc != 0)
		return rc;
	dev->pool = pool;
	rc = rte_eth_dev_configure(dev->id, 1, 1, &plan.conf);
	if (rc == -EBUSY)
		return use_as_it_is(dev);
	if (rc != 0)
		return driver_error(rc);
	dev->chains = plan.conf.txmode.offloads != 0;
	plan_descriptors(dev, pool, &plan);
	return setup_queues(dev, &plan, pool);
}

/*
 * A stopped device may keep buffers in its rings until it is closed, and the pool may go when this
 * returns. So stopping closes, and a port that was stopped does not start again.
 */
static void
ethdev_stop(void *ctx)
{
	struct ethdev *dev = ctx;

	if (dev->pool != NULL && !dev->foreign && !dev->closed)
		device_close(dev);
	dev->pool = NULL;
}

static void
ethdev_stats(void *ctx, struct weir_port_stats *stats)
{
	struct ethdev *dev = ctx;
	struct rte_eth_stats device;

	if (dev->closed || rte_eth_stats_get(dev->id, &device) != 0)
		return;
	stats->rx_missed += device.imissed;
	stats->rx_no_buffer += device.rx_nombuf;
}

static void
ethdev_close(void *ctx)
{
	struct ethdev *dev = ctx;

	ethdev_stop(dev);
	free(dev);
}

int
weir_port_open_ethdev(const char *name, struct weir_port **port)
{
	struct rte_eth_dev_info info;
	struct ethdev *dev;
	uint16_t id, mtu;
	int rc;

	if (name == NULL || port == NULL)
		return -EINVAL;
	if (rte_eth_dev_get_port_by_name(name, &id) != 0)
		return -ENODEV;
	dev = calloc(1, sizeof(*dev));
	if (dev == NULL)
		return -ENOMEM;
	*dev = (struct ethdev){
	    .id = id,
	    .port =
		{
		    .rx_burst = ethdev_rx_burst,
		    .tx_burst = ethdev_tx_burst,
		    .ctx = dev,
		    .start = ethdev_start,
		    .stop = ethdev_stop,
		    .groups = ethdev_groups,
		    .stats = ethdev_stats,
		    .close = ethdev_close,
		},
	};
	snprintf(dev->port.name, sizeof(dev->port.name), "%s", name);
	rc = ethdev_read(dev, &info, &mtu);
	if (rc != 0) {
		free(dev);
		return rc;
	}
	*port = &dev->port;
	return 0;
}
