/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is answered through the gateway, and what is open when its link address changes. */
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

#define FAR_IP 0xc6336401u /* 198.51.100.1 */

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0xee, 1};
static struct world world;

static struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

static bool
goes_through(const struct weir_key *key)
{
	struct weir_hop hop = {.mac = {2, 9, 9, 9, 9, 9}, .tags = 3};

	weir_route_hop(tcp(), 0, key, &hop);
	ck_assert_uint_eq(hop.tags, 3);
	if (memcmp(hop.mac, gateway_mac, 6) == 0)
		return true;
	ck_assert_mem_eq(hop.mac, ((const uint8_t[]){2, 9, 9, 9, 9, 9}), 6);
	return false;
}

static bool
peer_goes_through(uint32_t ip, uint32_t vlan)
{
	struct weir_key key = weir_key_of4(&(struct weir_key4){
	    .raddr = ip, .laddr = FRAME_LOCAL_IP, .rport = 40000, .lport = 9000, .vlan = vlan});

	return goes_through(&key);
}

START_TEST(who_leaves_the_network)
{
	const struct weir_key key6 = {{0x20010db8, 0, 0}, {.raddr = 2, .rport = 4, .lport = 9000}};

	scene_open(&world, 1 << 20);
	ck_assert(!peer_goes_through(FAR_IP, 0)); /* nobody has answered */
	weir_route_learn(tcp(), 0, gateway_mac);
	ck_assert(peer_goes_through(FAR_IP, 0));
	ck_assert(peer_goes_through(0xc0000102, 0)); /* 192.0.1.2, beside 192.0.2.0/24 */
	ck_assert(peer_goes_through(0xc0000302, 0));
	ck_assert(!peer_goes_through(0xc0000200, 0));
	ck_assert(!peer_goes_through(FRAME_REMOTE_IP, 0));
	ck_assert(!peer_goes_through(0xc00002ff, 0));
	ck_assert(!peer_goes_through(FAR_IP, 7));
	ck_assert(!goes_through(&key6));
	tcp()->ports[0].netmask = 0; /* everybody is near */
	ck_assert(!peer_goes_through(FAR_IP, 0));
	tcp()->ports[0].netmask = UINT32_MAX;
	ck_assert(peer_goes_through(FRAME_REMOTE_IP, 0));
	world_close(&world);
}
END_TEST

static void
open_from(uint32_t ip, uint16_t port, struct remote *remote)
{
	remote_init(remote, port);
	remote->ip = ip;
	remote_open(&world, remote);
}

static void
half_open_from(uint32_t ip, uint16_t port)
{
	struct remote remote;

	remote_init(&remote, port);
	remote.ip = ip;
	scene_syn(&world, &remote, 0, NULL, 0);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
}

static void
ended_from(uint32_t ip, uint16_t port)
{
	struct remote remote;

	open_from(ip, port, &remote);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	world_poll(&world, 1000);
	remote.rcv_nxt++;
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
}

static void
is_sent_to(const uint8_t *mac, bool moved)
{
	ck_assert_mem_eq(mac, moved ? gateway_mac : frame_remote_mac, 6);
}

START_TEST(open_connections_move)
{
	struct remote near, far, other;
	struct weir_header before;

	scene_open(&world, 1 << 20);
	open_from(FRAME_REMOTE_IP, 40000, &near);
	open_from(FAR_IP, 40001, &far);
	remote_init(&other, 40002);
	other.ip6 = true;
	remote_open(&world, &other);
	half_open_from(FRAME_REMOTE_IP, 40003);
	half_open_from(FAR_IP, 40004);
	ended_from(FRAME_REMOTE_IP, 40005);
	ended_from(FAR_IP, 40006);
	ck_assert_uint_eq(tcp()->stats.time_wait, 2);
	ck_assert_uint_eq(tcp()->stats.syn_received, 2);
	before = scene_flow(&world, &far)->header;
	weir_route_learn(tcp(), 0, gateway_mac);
	is_sent_to(scene_flow(&world, &near)->header.bytes, false);
	is_sent_to(scene_flow(&world, &far)->header.bytes, true);
	is_sent_to(scene_flow(&world, &other)->header.bytes, false);
	memcpy(before.bytes, gateway_mac, 6); /* and nothing else has changed */
	ck_assert_mem_eq(&before, &scene_flow(&world, &far)->header, sizeof(before));
	for (uint32_t i = 0; i < tcp()->syn_free.touched; i++)
		if (tcp()->syns[i].key.low.rport >= 40003)
			is_sent_to(tcp()->syns[i].hop.mac, tcp()->syns[i].key.low.rport % 2 == 0);
	for (uint32_t i = 0; i < 2; i++)
		is_sent_to(tcp()->time_waits[i].hop.mac,
			   tcp()->time_waits[i].key.low.rport == 40006);
	world_close(&world);
}
END_TEST

/* What belongs to another port stays there. */
START_TEST(other_ports_stay)
{
	struct remote far;

	scene_open(&world, 1 << 20);
	open_from(FAR_IP, 40001, &far);
	half_open_from(FAR_IP, 40004);
	ended_from(FAR_IP, 40006);
	weir_route_learn(tcp(), 1, gateway_mac);
	is_sent_to(scene_flow(&world, &far)->header.bytes, false);
	is_sent_to(tcp()->time_waits[0].hop.mac, false);
	for (uint32_t i = 0; i < tcp()->syn_free.touched; i++)
		is_sent_to(tcp()->syns[i].hop.mac, false);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, who_leaves_the_network);
	UNIT_CASE(s, open_connections_move);
	UNIT_CASE(s, other_ports_stay);
}

UNIT_MAIN("route", add)
