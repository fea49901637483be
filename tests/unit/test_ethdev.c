/* SPDX-License-Identifier: BSD-3-Clause */
/* The only unit test with an EAL: each case starts one of its own, without hugepages. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include "engine/port.h"
#include "tests/unit/unit.h"
#include "wire/chain.h"

#define BUFFERS 4096
#define ROOM	2176
#define BURST	64

struct fixture {
	struct rte_mempool *mempool;
	struct weir_pool pool;
	struct weir_port *port;
};

static void
start_eal(void)
{
	char *argv[] = {"test",
			"--no-huge",
			"-m",
			"64",
			"--no-shconf",
			"--no-pci",
			"-l",
			"0",
			"--no-telemetry",
			"--log-level=error",
			"--vdev=net_null0",
			"--vdev=net_ring0",
			NULL};

	ck_assert_int_ge(rte_eal_init((int)RTE_DIM(argv) - 1, argv), 0);
}

/* A namespace of its own, whose lo has an MTU of `mtu`; false when this user may not. */
static bool
own_loopback(int mtu)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd;
	bool ok;

	if (unshare(CLONE_NEWNET) != 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	request.ifr_mtu = mtu;
	ok = ioctl(fd, SIOCSIFMTU, &request) == 0;
	request.ifr_flags = IFF_UP;
	ok = ok && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return ok;
}

/* What the port `name` over lo says of its MTU, or the error of opening it. */
static int
mtu_over_lo(const char *name, const char *vdev)
{
	char *argv[] = {"test",	       "--no-huge", "-m",     "64",
			"--no-shconf", "--no-pci",  "-l",     "0",
			"--no-telemetry", "--log-level=error", (char *)(uintptr_t)vdev, NULL};
	struct weir_port *port;
	int rc;

	ck_assert_int_ge(rte_eal_init((int)RTE_DIM(argv) - 1, argv), 0);
	rc = weir_port_open_ethdev(name, &port);
	if (rc != 0)
		return rc;
	rc = port->mtu;
	weir_port_close(port);
	return rc;
}

static void
open_pool(struct fixture *f, uint16_t room)
{
	f->mempool = rte_pktmbuf_pool_create("test", BUFFERS, 0, 0, room, SOCKET_ID_ANY);
	ck_assert_ptr_nonnull(f->mempool);
	ck_assert_int_eq(weir_pool_open_mempool(&f->pool, f->mempool), 0);
}

static void
set_up(struct fixture *f, const char *name, uint16_t room)
{
	start_eal();
	open_pool(f, room);
	ck_assert_int_eq(weir_port_open_ethdev(name, &f->port), 0);
	ck_assert_str_eq(f->port->name, name);
}

/* Once the port stopped, the device holds no buffer any more, and the pool may go. */
static void
tear_down(struct fixture *f)
{
	f->port->stop(f->port->ctx);
	ck_assert_uint_eq(weir_pool_close(&f->pool), 0);
	rte_mempool_free(f->mempool);
	weir_port_close(f->port);
	ck_assert_int_eq(rte_eal_cleanup(), 0);
}

static uint16_t
tx(struct fixture *f, struct rte_mbuf **bufs, uint16_t n)
{
	return f->port->tx_burst(f->port->ctx, bufs, n, 0);
}

static uint16_t
rx(struct fixture *f, struct rte_mbuf **bufs, uint16_t n)
{
	return f->port->rx_burst(f->port->ctx, bufs, n, 0);
}

static struct rte_mbuf *
make(struct fixture *f, uint16_t len, uint8_t first)
{
	struct rte_mbuf *buf = weir_buf_alloc(&f->pool);

	ck_assert_ptr_nonnull(buf);
	for (uint16_t i = 0; i < len; i++)
		rte_pktmbuf_mtod(buf, uint8_t *)[i] = (uint8_t)(first + i);
	buf->data_len = len;
	buf->pkt_len = len;
	return buf;
}

START_TEST(unknown_device)
{
	struct weir_port *port;

	start_eal();
	ck_assert_int_eq(weir_port_open_ethdev("net_none0", &port), -ENODEV);
	ck_assert_int_eq(weir_port_open_ethdev(NULL, &port), -EINVAL);
	ck_assert_int_eq(weir_port_open_ethdev("net_null0", NULL), -EINVAL);
}
END_TEST

#define OVER_LO "--vdev=net_af_packet0,iface=lo,blocksz=1048576,framecnt=8192,framesz="

/* The driver tells 1500 whatever the interface has. */
START_TEST(kernel_interface_tells_its_mtu)
{
	if (own_loopback(9000))
		ck_assert_int_eq(mtu_over_lo("net_af_packet0", OVER_LO "16384"), 9000);
}
END_TEST

/* The kernel cuts off what the driver's own frame does not hold. */
START_TEST(ring_frame_limits_the_mtu)
{
	if (own_loopback(9000))
		ck_assert_int_eq(mtu_over_lo("net_af_packet0", OVER_LO "2048"), 2048 - 88);
}
END_TEST

START_TEST(ring_frame_without_room_is_refused)
{
	if (own_loopback(1500))
		ck_assert_int_eq(mtu_over_lo("net_af_packet0", OVER_LO "512"), -EMSGSIZE);
}
END_TEST

/* It would receive nothing; where the driver is not installed, there is no such port. */
START_TEST(xdp_without_hugepages_is_refused)
{
	int rc = mtu_over_lo("net_af_xdp0", "--vdev=net_af_xdp0,iface=lo");

	ck_assert(rc == -ENOTSUP || rc == -ENODEV);
}
END_TEST

START_TEST(null_device_runs)
{
	struct rte_mbuf *bufs[BURST];
	struct rte_ether_addr mac;
	struct fixture f;

	set_up(&f, "net_null0", ROOM);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	ck_assert_int_eq(rte_eth_macaddr_get(0, &mac), 0);
	ck_assert_mem_eq(f.port->mac, mac.addr_bytes, 6);
	ck_assert_uint_eq(f.port->capabilities & WEIR_PORT_L3, 0);
	ck_assert_uint_eq(f.port->mtu, 1500);
	for (int i = 0; i < 200; i++) {
		ck_assert_uint_eq(rx(&f, bufs, BURST), BURST);
		ck_assert_uint_eq(bufs[0]->pkt_len, 64);
		ck_assert_ptr_eq(bufs[0]->pool, f.mempool);
		ck_assert_uint_eq(tx(&f, bufs, BURST), BURST);
	}
	tear_down(&f);
}
END_TEST

START_TEST(small_buffers_are_refused)
{
	struct fixture f;
	struct rte_mempool *small;

	set_up(&f, "net_null0", 1024);
	/* A whole frame of 1500 bytes, its link header with two tags, and the headroom. */
	ck_assert_uint_ge(f.port->frame_room, RTE_PKTMBUF_HEADROOM + 14 + 8 + 1500);
	ck_assert_uint_le(f.port->frame_room, ROOM);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), -EMSGSIZE);
	ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
	small = f.mempool;
	rte_mempool_free(small);
	/* That was no harm: larger ones will do. */
	open_pool(&f, ROOM);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	tear_down(&f);
}
END_TEST

START_TEST(heap_buffers_are_refused)
{
	struct weir_pool heap;
	struct fixture f;

	set_up(&f, "net_null0", ROOM);
	ck_assert_int_eq(weir_pool_open_heap(&heap, 16, ROOM), 0);
	ck_assert_int_eq(f.port->start(f.port->ctx, &heap), -ENOTSUP);
	ck_assert_uint_eq(weir_pool_close(&heap), 0);
	tear_down(&f);
}
END_TEST

START_TEST(stopped_port_stays_stopped)
{
	struct weir_port_stats stats = {.rx_missed = 3};
	struct fixture f;

	set_up(&f, "net_null0", ROOM);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	f.port->stop(f.port->ctx);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), -ENODEV);
	f.port->stats(f.port->ctx, &stats);
	ck_assert_uint_eq(stats.rx_missed, 3);
	tear_down(&f);
}
END_TEST

/* A port that never ran leaves the device to others. */
START_TEST(closed_unstarted_port_can_be_opened_again)
{
	struct fixture f;

	set_up(&f, "net_null0", ROOM);
	weir_port_close(f.port);
	ck_assert_int_eq(weir_port_open_ethdev("net_null0", &f.port), 0);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	tear_down(&f);
}
END_TEST

START_TEST(ring_device_returns_what_is_sent)
{
	struct rte_mbuf *sent[BURST], *got[BURST];
	struct weir_port_stats stats = {.rx_missed = 3, .rx_no_buffer = 4};
	struct fixture f;

	set_up(&f, "net_ring0", ROOM);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	for (uint8_t i = 0; i < BURST; i++)
		sent[i] = make(&f, 60, i);
	ck_assert_uint_eq(tx(&f, sent, BURST), BURST);
	ck_assert_uint_eq(rx(&f, got, BURST), BURST);
	ck_assert_uint_eq(rx(&f, got, BURST), 0);
	ck_assert_mem_eq(sent, got, sizeof(got));
	weir_buf_free_bulk(&f.pool, got, BURST);
	f.port->stats(f.port->ctx, &stats);
	ck_assert_uint_eq(stats.rx_missed, 3);
	ck_assert_uint_eq(stats.rx_no_buffer, 4);
	tear_down(&f);
}
END_TEST

/* A device without a list of groups takes them all. */
START_TEST(groups_are_asked_for)
{
	static const uint8_t groups[2][6] = {{0x33, 0x33, 0, 0, 0, 1}, {0x33, 0x33, 0xff, 0, 0, 1}};
	struct fixture f;
	uint16_t id;

	set_up(&f, "net_ring0", ROOM);
	ck_assert_int_eq(rte_eth_dev_get_port_by_name("net_ring0", &id), 0);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	if (rte_eth_allmulticast_disable(id) == 0)
		ck_assert_int_eq(rte_eth_allmulticast_get(id), 0);
	f.port->groups(f.port->ctx, groups, 2);
	ck_assert_int_eq(rte_eth_allmulticast_get(id), 1);
	tear_down(&f);
}
END_TEST

START_TEST(pitfall_49_full_device_takes_fewer)
{
	struct rte_mbuf *sent[2048], *got[2048];
	struct fixture f;
	uint32_t n = 0, back = 0;

	set_up(&f, "net_ring0", ROOM);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	ck_assert(weir_buf_alloc_bulk(&f.pool, sent, 2048));
	for (uint32_t k = 1; k != 0; n += k) {
		ck_assert_uint_le(n + BURST, 2048);
		k = tx(&f, sent + n, BURST);
	}
	ck_assert_uint_ge(n, 512);
	for (uint32_t k = 1; k != 0; back += k)
		k = rx(&f, got + back, BURST);
	ck_assert_uint_eq(back, n);
	ck_assert_mem_eq(sent, got, n * sizeof(got[0]));
	/* The rest is still the sender's, and goes now. */
	ck_assert_uint_eq(tx(&f, sent + n, BURST), BURST);
	ck_assert_uint_eq(rx(&f, got + n, BURST), BURST);
	weir_buf_free_bulk(&f.pool, sent, 2048);
	tear_down(&f);
}
END_TEST

/* A device that the program set up itself, without multi-segment transmission. */
static void
start_device(struct fixture *f, uint16_t id)
{
	struct rte_eth_conf conf = {0};

	ck_assert_int_eq(rte_eth_dev_configure(id, 1, 1, &conf), 0);
	ck_assert_int_eq(rte_eth_rx_queue_setup(id, 0, 128, SOCKET_ID_ANY, NULL, f->mempool), 0);
	ck_assert_int_eq(rte_eth_tx_queue_setup(id, 0, 128, SOCKET_ID_ANY, NULL), 0);
	ck_assert_int_eq(rte_eth_dev_start(id), 0);
}

START_TEST(started_device_is_used_as_it_is)
{
	struct rte_mbuf *bufs[BURST];
	struct fixture f;

	set_up(&f, "net_null0", ROOM);
	start_device(&f, 0);
	ck_assert_int_eq(f.port->start(f.port->ctx, &f.pool), 0);
	ck_assert_uint_eq(rx(&f, bufs, BURST), BURST);
	ck_assert_uint_eq(tx(&f, bufs, BURST), BURST);
	f.port->stop(f.port->ctx);
	/* It is the program's to stop. */
	ck_assert_uint_eq(rte_eth_rx_burst(0, 0, bufs, BURST), BURST);
	weir_buf_free_bulk(&f.pool, bufs, BURST);
	ck_assert_int_eq(rte_eth_dev_stop(0), 0);
	tear_down(&f);
}
END_TEST

static struct rte_mbuf *
make_chain(struct fixture *f, uint16_t len, uint8_t n)
{
	struct rte_mbuf *head = make(f, len, 0), *tail = head;

	for (uint8_t i = 1; i < n; i++, tail = tail->next)
		tail->next = make(f, len, (uint8_t)(i * len));
	head->nb_segs = n;
	head->pkt_len = (uint32_t)n * len;
	return head;
}

/* A ring that the program has started, and a chain of `n` times `len` bytes between two frames.
 * Returns its number. */
static uint16_t
chain_for_a_ring(struct fixture *f, struct rte_mbuf *bufs[3], uint16_t len, uint8_t n)
{
	uint16_t id;

	set_up(f, "net_ring0", ROOM);
	ck_assert_int_eq(rte_eth_dev_get_port_by_name("net_ring0", &id), 0);
	start_device(f, id);
	ck_assert_int_eq(f->port->start(f->port->ctx, &f->pool), 0);
	bufs[0] = make(f, 60, 7);
	bufs[1] = make_chain(f, len, n);
	bufs[2] = make(f, 60, 9);
	return id;
}

START_TEST(chains_are_gathered_where_the_driver_needs_it)
{
	struct rte_mbuf *bufs[3], *got[4];
	struct fixture f;
	uint16_t id = chain_for_a_ring(&f, bufs, 50, 5);

	ck_assert_uint_eq(tx(&f, bufs, 3), 3);
	ck_assert_uint_eq(rx(&f, got, 4), 3);
	ck_assert_mem_eq(got, bufs, sizeof(bufs));
	ck_assert_uint_eq(got[1]->nb_segs, 1);
	ck_assert_ptr_null(got[1]->next);
	ck_assert_uint_eq(got[1]->pkt_len, 250);
	ck_assert_uint_eq(got[1]->data_len, 250);
	for (uint32_t i = 0; i < 250; i++)
		ck_assert_uint_eq(rte_pktmbuf_mtod(got[1], uint8_t *)[i], (uint8_t)i);
	weir_buf_free_bulk(&f.pool, got, 3);
	ck_assert_uint_eq(weir_pool_available(&f.pool), BUFFERS);
	rte_eth_dev_stop(id);
	tear_down(&f);
}
END_TEST

/* What does not fit in one buffer is given up; those behind it go on. */
START_TEST(chain_too_long_does_not_block)
{
	struct rte_mbuf *bufs[3], *got[4];
	struct fixture f;
	uint16_t id = chain_for_a_ring(&f, bufs, 1500, 2), sent = 0;

	for (int i = 0; i < 3 && sent < 3; i++)
		sent += tx(&f, bufs + sent, 3 - sent);
	ck_assert_uint_eq(sent, 3);
	ck_assert_uint_eq(rx(&f, got, 4), 2);
	ck_assert_ptr_eq(got[0], bufs[0]);
	ck_assert_ptr_eq(got[1], bufs[2]);
	weir_buf_free_bulk(&f.pool, got, 2);
	ck_assert_uint_eq(weir_pool_available(&f.pool), BUFFERS);
	rte_eth_dev_stop(id);
	tear_down(&f);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, unknown_device);
	UNIT_CASE(s, kernel_interface_tells_its_mtu);
	UNIT_CASE(s, ring_frame_limits_the_mtu);
	UNIT_CASE(s, ring_frame_without_room_is_refused);
	UNIT_CASE(s, xdp_without_hugepages_is_refused);
	UNIT_CASE(s, null_device_runs);
	UNIT_CASE(s, small_buffers_are_refused);
	UNIT_CASE(s, heap_buffers_are_refused);
	UNIT_CASE(s, stopped_port_stays_stopped);
	UNIT_CASE(s, closed_unstarted_port_can_be_opened_again);
	UNIT_CASE(s, ring_device_returns_what_is_sent);
	UNIT_CASE(s, pitfall_49_full_device_takes_fewer);
	UNIT_CASE(s, started_device_is_used_as_it_is);
	UNIT_CASE(s, chains_are_gathered_where_the_driver_needs_it);
	UNIT_CASE(s, chain_too_long_does_not_block);
	UNIT_CASE(s, groups_are_asked_for);
}

UNIT_MAIN("ethdev", add)
