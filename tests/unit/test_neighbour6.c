/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "engine/neighbour.h"
#include "tests/unit/parsing.h"
#include "wire/chain.h"

#define ECHO_REQUEST  128
#define ECHO_REPLY    129
#define SOLICITATION  135
#define ADVERTISEMENT 136

static struct parsing p;
static uint8_t message[1600]; /* of the request */
static uint8_t got[2048];
static uint32_t got_len;

static const uint8_t solicited_group[16] = {0xff, 0x02, [11] = 1, 0xff, 0, 0, 1};
static const uint8_t solicited_mac[6] = {0x33, 0x33, 0xff, 0, 0, 1};
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static void
set_message(uint32_t len)
{
	p.spec.protocol = 58;
	p.spec.payload = message;
	p.spec.len = len;
}

/* Who has our address? With the sender's link address. */
static void
open_solicited(void)
{
	parsing_open6(&p);
	memset(message, 0, sizeof(message));
	message[0] = SOLICITATION;
	memcpy(message + 8, frame_local_ip6, 16);
	message[24] = 1;
	message[25] = 1;
	memcpy(message + 26, frame_remote_mac, 6);
	set_message(32);
	p.spec.ttl = 255;
	memcpy(p.spec.dst6, solicited_group, 16);
	memcpy(p.spec.dst_mac, solicited_mac, 6);
}

static void
open_echo(uint32_t len)
{
	parsing_open6(&p);
	memset(message, 0, sizeof(message));
	message[0] = ECHO_REQUEST;
	for (uint32_t i = 4; i < len; i++)
		message[i] = (uint8_t)(i * 37 + 11);
	set_message(len);
	p.spec.ttl = 3;
	p.spec.tos = 0xb9;
	p.spec.flow_label = 0x12345;
}

/* One request through parser and room; WEIR_DROP_COUNT when it was answered, by the bytes in `got`. */
static uint32_t
ask(void)
{
	struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);
	struct weir_neighbour_reply reply = {.reason = WEIR_DROP_COUNT};
	uint8_t before[2048], after[2048];
	uint32_t len = weir_chain_copy(buf, 0, sizeof(before), before);

	parsing_one(&p, buf);
	if (p.out.n_rejects != 0) {
		reply.reason = p.out.rejects[0].reason;
	} else {
		reply = weir_neighbour_handle(&p.parse, &p.out.others[0]);
		got_len = weir_chain_copy(buf, 0, sizeof(got), got);
	}
	if (reply.frame != NULL) {
		ck_assert_ptr_eq(reply.frame, buf);
		ck_assert_uint_eq(got_len, buf->pkt_len);
		reply.reason = WEIR_DROP_COUNT;
	} else { /* not a byte has changed */
		ck_assert_uint_eq(weir_chain_copy(buf, 0, sizeof(after), after), len);
		ck_assert_mem_eq(after, before, len);
	}
	weir_buf_free(&p.pool, buf);
	return reply.reason;
}

#define ck_assert_answered() ck_assert_uint_eq(ask(), WEIR_DROP_COUNT)
#define ck_assert_refused(id) ck_assert_str_eq(weir_drop_name(ask()), weir_drop_name(WEIR_DROP_##id))

/* What came back is the frame that `spec` describes, behind which there may be what is no packet. */
static void
check_answer(const struct frame_spec *spec)
{
	uint8_t want[2048];
	uint32_t len = frame_write(spec, want);

	ck_assert_uint_ge(got_len, len);
	ck_assert_mem_eq(got, want, len);
	if (spec->split == 0)
		ck_assert_uint_eq(got_len, len);
}

/* ---- neighbour discovery ---- */

/* From us to `to`; flags: 0x60 solicited and override, 0x20 override. */
static struct frame_spec
advertisement(uint8_t *body, const uint8_t *to, const uint8_t *mac, uint8_t flags)
{
	struct frame_spec spec = p.spec;

	memset(body, 0, 32);
	body[0] = ADVERTISEMENT;
	body[4] = flags;
	memcpy(body + 8, frame_local_ip6, 16);
	body[24] = 2;
	body[25] = 1;
	memcpy(body + 26, frame_local_mac, 6);
	memcpy(spec.src6, frame_local_ip6, 16);
	memcpy(spec.dst6, to, 16);
	memcpy(spec.src_mac, frame_local_mac, 6);
	memcpy(spec.dst_mac, mac, 6);
	spec.tos = 0;
	spec.flow_label = 0;
	spec.payload = body;
	spec.len = 32;
	return spec;
}

START_TEST(a_solicitation_is_answered)
{
	uint8_t body[32];
	struct frame_spec want;

	open_solicited();
	p.spec.tos = 0xe0;
	for (uint16_t split = 0; split < 86; split++)
		for (uint8_t tags = 0; tags <= 2; tags++) {
			p.spec.split = split;
			p.spec.n_tags = tags;
			p.spec.tpid[0] = tags == 2 ? 0x88a8 : 0x8100;
			p.spec.tci[0] = 5;
			p.spec.tci[1] = 6;
			ck_assert_answered();
			want = advertisement(body, frame_remote_ip6, frame_remote_mac, 0x60);
			check_answer(&want);
		}
	parsing_close(&p);
}
END_TEST

/* To us alone, as who wants to know whether we are still there does; without our link address. */
START_TEST(a_probe_of_a_neighbour_is_answered)
{
	uint8_t body[32];
	struct frame_spec want;

	open_solicited();
	memcpy(p.spec.dst6, frame_local_ip6, 16);
	memcpy(p.spec.dst_mac, frame_local_mac, 6);
	p.spec.len = 24;
	for (uint16_t split = 0; split < 78; split++) { /* the answer is longer than the question */
		p.spec.split = split;
		ck_assert_answered();
		want = advertisement(body, frame_remote_ip6, frame_remote_mac, 0x60);
		check_answer(&want);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(the_stated_link_address_is_answered)
{
	static const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0, 9};
	uint8_t body[32];
	struct frame_spec want;

	open_solicited();
	memcpy(message + 26, other_mac, 6);
	ck_assert_answered();
	want = advertisement(body, frame_remote_ip6, other_mac, 0x60);
	check_answer(&want);
	message[26] |= 1; /* a group would multiply it */
	ck_assert_refused(ND);
	parsing_close(&p);
}
END_TEST

/* Duplicate address detection (RFC 4862 5.4): all nodes hear that the address is taken. */
START_TEST(who_wants_our_address_hears_of_us)
{
	uint8_t body[32];
	struct frame_spec want;

	open_solicited();
	memset(p.spec.src6, 0, 16);
	p.spec.len = 24;
	ck_assert_answered();
	want = advertisement(body, all_nodes, all_nodes_mac, 0x20);
	check_answer(&want);
	p.spec.len = 32; /* nobody has a link address (RFC 4861 7.1.1) */
	ck_assert_refused(ND);
	p.spec.len = 24;
	memcpy(p.spec.dst6, frame_local_ip6, 16); /* and asks a group */
	memcpy(p.spec.dst_mac, frame_local_mac, 6);
	ck_assert_refused(ND);
	parsing_close(&p);
}
END_TEST

/* RFC 4861 7.1.1, one by one. */
START_TEST(invalid_solicitations)
{
	open_solicited();
	for (uint32_t hops = 0; hops < 255; hops++) {
		p.spec.ttl = (uint8_t)hops;
		ck_assert_refused(ND);
	}
	p.spec.ttl = 255;
	p.spec.bad_tcp_csum = 1;
	ck_assert_refused(ICMP);
	p.spec.bad_tcp_csum = 0;
	message[1] = 1;
	ck_assert_refused(ND);
	message[1] = 0;
	for (uint32_t len = 8; len < 32; len++) {
		p.spec.len = len;
		if (len != 24)
			ck_assert_refused(ND);
	}
	p.spec.len = 7;
	ck_assert_refused(ICMP);
	p.spec.len = 32;
	message[8] = 0xff;
	ck_assert_refused(ND);
	memcpy(message + 8, frame_remote_ip6, 16); /* somebody else's */
	ck_assert_refused(ND);
	memcpy(message + 8, frame_local_ip6, 16);
	memcpy(p.spec.src6, frame_local_ip6, 16); /* from us? */
	ck_assert_refused(IP_SOURCE);
	memcpy(p.spec.src6, frame_remote_ip6, 16);
	p.spec.src_mac[0] |= 1;
	ck_assert_answered(); /* the option says it better */
	p.spec.len = 24;
	ck_assert_refused(ND);
	parsing_close(&p);
}
END_TEST

/* Options end inside the message and have a length; those of no known kind are skipped. */
START_TEST(options_of_a_solicitation)
{
	open_solicited();
	memset(message + 24, 0, 64);
	message[24] = 14; /* nonce */
	message[25] = 2;
	message[40] = 1;
	message[41] = 1;
	memcpy(message + 42, frame_remote_mac, 6);
	p.spec.len = 48;
	ck_assert_answered();
	for (uint32_t len = 0; len < 256; len++) {
		message[41] = (uint8_t)len;
		if (len != 1)
			ck_assert_refused(ND);
	}
	message[41] = 1;
	for (uint32_t kind = 2; kind < 256; kind++) { /* then the frame says who asks */
		message[40] = (uint8_t)kind;
		ck_assert_answered();
	}
	message[25] = 0;
	ck_assert_refused(ND);
	parsing_close(&p);
}
END_TEST

/* However long it is, work is bounded. */
START_TEST(a_very_long_solicitation)
{
	open_solicited();
	for (uint32_t off = 24; off < sizeof(message); off += 8) {
		message[off] = 200;
		message[off + 1] = 1;
	}
	p.spec.len = 1024;
	ck_assert_answered();
	p.spec.len = 1032;
	ck_assert_refused(ND);
	parsing_close(&p);
}
END_TEST

/* Whatever else is said: we keep no list of neighbours or routers, so nobody can fill or poison it. */
START_TEST(other_messages_are_dropped_by_name)
{
	open_solicited();
	for (uint32_t type = 0; type < 256; type++) {
		message[0] = (uint8_t)type;
		if (type == SOLICITATION)
			ck_assert_answered();
		else if (type >= 133 && type <= 137)
			ck_assert_refused(ND);
		else
			ck_assert_refused(ICMP);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(no_discovery_without_a_link)
{
	open_solicited();
	parsing_listen(&p, true, FRAME_LOCAL_IP);
	p.parse.own6 = &p.own6;
	p.spec.l3 = 1;
	ck_assert_refused(ND);
	parsing_close(&p);
}
END_TEST

/* The tag that the port took off is put back, as for ARP. */
START_TEST(stripped_tag_is_put_back)
{
	struct weir_neighbour_reply reply;
	struct rte_mbuf *buf;
	uint8_t body[32], want[256];
	struct frame_spec spec;
	uint32_t len;

	open_solicited();
	buf = frame_build(&p.pool, &p.spec);
	buf->ol_flags |= RTE_MBUF_F_RX_VLAN_STRIPPED;
	buf->vlan_tci = 0x6123;
	parsing_one(&p, buf);
	reply = weir_neighbour_handle(&p.parse, &p.out.others[0]);
	ck_assert_ptr_eq(reply.frame, buf);
	ck_assert(reply.advertises);
	spec = advertisement(body, frame_remote_ip6, frame_remote_mac, 0x60);
	spec.n_tags = 1;
	spec.tci[0] = 0x6123;
	len = frame_write(&spec, want);
	ck_assert_uint_eq(buf->pkt_len, len);
	ck_assert_mem_eq(rte_pktmbuf_mtod(buf, void *), want, len);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

/* ---- echo ---- */

/* What comes back: our hops, no label, no ECN. */
static struct frame_spec
echo_reply(uint8_t *body)
{
	struct frame_spec spec = p.spec;

	memcpy(body, message, p.spec.len);
	body[0] = ECHO_REPLY;
	memcpy(spec.src6, p.spec.dst6, 16);
	memcpy(spec.dst6, p.spec.src6, 16);
	memcpy(spec.src_mac, p.spec.dst_mac, 6);
	memcpy(spec.dst_mac, p.spec.src_mac, 6);
	spec.tos = p.spec.tos & 0xfc;
	spec.ttl = 64;
	spec.flow_label = 0;
	spec.payload = body;
	return spec;
}

START_TEST(echo_of_any_length)
{
	static const uint16_t splits[] = {0, 1, 13, 61};
	uint8_t body[1600];
	struct frame_spec want;

	for (uint32_t len = 8; len < 1400; len += 1 + len / 60)
		for (uint32_t i = 0; i < 4; i++) {
			open_echo(len);
			p.spec.split = splits[i];
			ck_assert_answered();
			want = echo_reply(body);
			check_answer(&want);
			parsing_close(&p);
		}
}
END_TEST

START_TEST(echo_on_bare_ipv6)
{
	uint8_t body[1600];
	struct frame_spec want;

	open_echo(64);
	parsing_listen(&p, true, FRAME_LOCAL_IP);
	p.parse.own6 = &p.own6;
	p.spec.l3 = 1;
	ck_assert_answered();
	want = echo_reply(body);
	check_answer(&want);
	parsing_close(&p);
}
END_TEST

START_TEST(echoes_that_are_not_answered)
{
	static const uint8_t extension[8] = {58, 0, 1, 4};

	open_echo(64);
	p.spec.bad_tcp_csum = 1;
	ck_assert_refused(ICMP);
	p.spec.bad_tcp_csum = 0;
	message[1] = 1;
	ck_assert_refused(ICMP);
	message[1] = 0;
	memcpy(p.spec.dst6, all_nodes, 16); /* one frame would be multiplied */
	memcpy(p.spec.dst_mac, all_nodes_mac, 6);
	ck_assert_refused(ICMP);
	memcpy(p.spec.dst6, frame_local_ip6, 16);
	memcpy(p.spec.dst_mac, frame_local_mac, 6);
	memcpy(p.spec.src6, frame_local_ip6, 16);
	ck_assert_refused(IP_SOURCE);
	memset(p.spec.src6, 0, 16);
	ck_assert_refused(ICMP);
	memcpy(p.spec.src6, frame_remote_ip6, 16);
	p.spec.src_mac[0] |= 1;
	ck_assert_refused(ICMP);
	p.spec.src_mac[0] &= 0xfe;
	p.spec.extensions = extension;
	p.spec.extensions_len = sizeof(extension);
	p.spec.first_extension = 60;
	ck_assert_refused(ICMP);
	p.spec.extensions_len = 0;
	ck_assert_answered();
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_solicitation_is_answered);
	UNIT_CASE(s, a_probe_of_a_neighbour_is_answered);
	UNIT_CASE(s, the_stated_link_address_is_answered);
	UNIT_CASE(s, who_wants_our_address_hears_of_us);
	UNIT_CASE(s, invalid_solicitations);
	UNIT_CASE(s, options_of_a_solicitation);
	UNIT_CASE(s, a_very_long_solicitation);
	UNIT_CASE(s, other_messages_are_dropped_by_name);
	UNIT_CASE(s, no_discovery_without_a_link);
	UNIT_CASE(s, stripped_tag_is_put_back);
	UNIT_CASE(s, echo_of_any_length);
	UNIT_CASE(s, echo_on_bare_ipv6);
	UNIT_CASE(s, echoes_that_are_not_answered);
}

UNIT_MAIN("neighbour6", add)
