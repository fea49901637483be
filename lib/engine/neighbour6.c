/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6: neighbour solicitations for our addresses (RFC 4861 7.1, 7.2) and echo (RFC 4443 4). */
#include <string.h>

#include <rte_mbuf.h>

#include "engine/neighbour.h"
#include "engine/reply.h"
#include "wire/address6.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"

#define MAC_BYTES   WEIR_MAC_BYTES
#define IP6_BYTES   40
#define ICMP6	    58
#define VERSION	    0x60000000
#define ECN_MASK    0x00300000 /* in the first word */
#define LABEL_MASK  0x000fffff
#define SOURCE	    8 /* addresses in the header */
#define DESTINATION 24

#define ICMP_BYTES    8
#define ECHO_REQUEST  128
#define ECHO_REPLY    129
#define ECHO_HOPS     64
#define DISCOVERY_MIN 133 /* router and neighbour solicitations and advertisements, redirects */
#define DISCOVERY_MAX 137
#define SOLICITATION  135
#define ADVERTISEMENT 136

#define DISCOVERY_HOPS	    255 /* nobody behind a router can have sent it */
#define SOLICITATION_BYTES  24
#define ADVERTISEMENT_BYTES 32 /* with our link address */
#define MESSAGE_MAX	    1024 /* a longer solicitation is not walked through */
#define OPTION_UNIT	    8
#define OPTION_SOURCE	    1 /* link addresses */
#define OPTION_TARGET	    2
#define FLAG_SOLICITED	    0x40000000
#define FLAG_OVERRIDE	    0x20000000

/* A message whose length and checksum are right. */
struct message {
	const struct weir_other *other;
	uint8_t ip[IP6_BYTES];
	uint8_t bytes[SOLICITATION_BYTES]; /* as many as there are */
};

/* Behind the bare header: what a route or options in front of it ask for is not done here. */
static bool
read_message(const struct weir_other *other, struct message *message)
{
	uint64_t sum;

	message->other = other;
	if (other->l4_off != other->l3_off + IP6_BYTES || other->l4_len < ICMP_BYTES ||
	    other->buf->pkt_len < (uint32_t)other->l4_off + other->l4_len ||
	    weir_chain_copy(other->buf, other->l3_off, IP6_BYTES, message->ip) != IP6_BYTES)
		return false;
	memset(message->bytes, 0, sizeof(message->bytes));
	weir_chain_copy(other->buf, other->l4_off,
			RTE_MIN((uint32_t)other->l4_len, (uint32_t)SOLICITATION_BYTES),
			message->bytes);
	sum = weir_csum_pseudo6(message->ip + SOURCE, ICMP6, other->l4_len);
	return weir_csum_fold(weir_csum_add_chain(other->buf, other->l4_off, other->l4_len, sum)) ==
	       0xffff;
}

static bool
is_own(const struct weir_parse *parse, const uint8_t *address)
{
	return weir_own6_find(parse->own6, address) != parse->own6->n;
}

static void
swap_in(struct message *message, const uint8_t *source, const uint8_t *destination)
{
	uint8_t to[WEIR_ADDRESS6_BYTES];

	memcpy(to, destination, sizeof(to));
	memmove(message->ip + SOURCE, source, sizeof(to));
	memcpy(message->ip + DESTINATION, to, sizeof(to));
}

/* ---- echo ---- */

/* Type 128 becomes 129; the addresses change places, so that the rest of the sum stays (RFC 1624). */
static bool
answer_echo(const struct weir_parse *parse, struct message *message)
{
	struct rte_mbuf *buf = message->other->buf;
	const uint32_t off = message->other->l3_off;
	uint32_t sum = (uint16_t)~weir_load_be16(message->bytes + 2);
	uint8_t mac[MAC_BYTES];

	if (message->bytes[1] != 0 || !weir_source6_valid(message->ip + SOURCE) ||
	    is_own(parse, message->ip + SOURCE) || !is_own(parse, message->ip + DESTINATION) ||
	    (!parse->l3 && !weir_reply_macs(buf, mac)))
		return false;
	if (!parse->l3)
		weir_reply_put_macs(parse, buf, mac);
	weir_store_be32(message->ip,
			weir_load_be32(message->ip) & ~(uint32_t)(ECN_MASK | LABEL_MASK));
	message->ip[7] = ECHO_HOPS;
	swap_in(message, message->ip + DESTINATION, message->ip + SOURCE);
	weir_reply_write(buf, off, message->ip, IP6_BYTES);
	sum += (uint16_t) ~(ECHO_REQUEST << 8);
	sum += ECHO_REPLY << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	message->bytes[0] = ECHO_REPLY;
	weir_store_be16(message->bytes + 2, (uint16_t)~sum);
	weir_reply_write(buf, message->other->l4_off, message->bytes, ICMP_BYTES);
	weir_reply_cut(buf, (uint32_t)message->other->l4_off + message->other->l4_len);
	return true;
}

/* ---- neighbour discovery ---- */

/* Every option has a length and ends inside the message. The source's link address to `mac`; *given
 * says whether there is one. */
static bool
read_options(const struct message *message, uint8_t mac[MAC_BYTES], bool *given)
{
	const struct weir_other *other = message->other;
	uint32_t off = SOLICITATION_BYTES, len;
	uint8_t option[OPTION_UNIT];

	*given = false;
	for (; off < other->l4_len; off += len) {
		if (weir_chain_copy(other->buf, other->l4_off + off, OPTION_UNIT, option) !=
		    OPTION_UNIT)
			return false;
		len = option[1] * OPTION_UNIT;
		if (len == 0 || len > other->l4_len - off)
			return false;
		if (option[0] != OPTION_SOURCE || len != OPTION_UNIT)
			continue;
		memcpy(mac, option + 2, MAC_BYTES);
		*given = true;
	}
	return true;
}

/* RFC 4861 7.1.1, of a message whose sum is right. `mac`: where the answer goes. */
static bool
solicitation_valid(const struct weir_parse *parse, const struct message *message,
		   uint8_t mac[MAC_BYTES])
{
	const uint8_t *destination = message->ip + DESTINATION;
	const uint8_t *target = message->bytes + ICMP_BYTES;
	uint8_t group[WEIR_ADDRESS6_BYTES];
	bool given;

	if (message->ip[7] != DISCOVERY_HOPS || message->bytes[1] != 0 ||
	    message->other->l4_len < SOLICITATION_BYTES || message->other->l4_len > MESSAGE_MAX ||
	    weir_multicast6(target) || !read_options(message, mac, &given))
		return false;
	if (weir_unspecified6(message->ip + SOURCE)) { /* somebody wants the address for himself */
		weir_solicited_node6(target, group);
		if (given || !weir_address6_equal(destination, group))
			return false;
		weir_group_mac6(weir_all_nodes6, mac);
		return is_own(parse, target);
	}
	if (!given && weir_chain_copy(message->other->buf, MAC_BYTES, MAC_BYTES, mac) != MAC_BYTES)
		return false;
	return weir_reply_unicast(mac) && is_own(parse, target) &&
	       !is_own(parse, message->ip + SOURCE);
}

/* The message and its addresses, for a solicitation that is valid; all nodes hear the answer when it
 * came from nobody (RFC 4861 7.2.4). */
static void
write_advertisement(const struct weir_parse *parse, struct message *message)
{
	bool unspecified = weir_unspecified6(message->ip + SOURCE);
	uint8_t advertisement[ADVERTISEMENT_BYTES] = {ADVERTISEMENT};
	uint16_t sum;

	weir_store_be32(advertisement + 4, unspecified ? FLAG_OVERRIDE : FLAG_OVERRIDE | FLAG_SOLICITED);
	memcpy(advertisement + ICMP_BYTES, message->bytes + ICMP_BYTES, WEIR_ADDRESS6_BYTES);
	advertisement[SOLICITATION_BYTES] = OPTION_TARGET;
	advertisement[SOLICITATION_BYTES + 1] = 1;
	memcpy(advertisement + SOLICITATION_BYTES + 2, parse->mac, MAC_BYTES);
	weir_store_be32(message->ip, VERSION);
	weir_store_be16(message->ip + 4, ADVERTISEMENT_BYTES);
	message->ip[7] = DISCOVERY_HOPS;
	swap_in(message, advertisement + ICMP_BYTES,
		unspecified ? weir_all_nodes6 : message->ip + SOURCE);
	sum = (uint16_t)~weir_csum_fold(
		weir_csum_add(advertisement, sizeof(advertisement),
			      weir_csum_pseudo6(message->ip + SOURCE, ICMP6, ADVERTISEMENT_BYTES)));
	memcpy(advertisement + 2, &sum, sizeof(sum));
	weir_reply_write(message->other->buf, message->other->l3_off, message->ip, IP6_BYTES);
	weir_reply_write(message->other->buf, message->other->l4_off, advertisement,
			 ADVERTISEMENT_BYTES);
}

static bool
answer_solicitation(const struct weir_parse *parse, struct message *message)
{
	struct rte_mbuf *buf = message->other->buf;
	uint32_t len = (uint32_t)message->other->l4_off + ADVERTISEMENT_BYTES;
	uint8_t mac[MAC_BYTES];

	if (parse->l3 || !solicitation_valid(parse, message, mac) ||
	    (buf->pkt_len < len && rte_pktmbuf_append(buf, (uint16_t)(len - buf->pkt_len)) == NULL))
		return false;
	weir_reply_put_macs(parse, buf, mac);
	write_advertisement(parse, message);
	weir_reply_cut(buf, len);
	return true;
}

bool
weir_neighbour6_handle(const struct weir_parse *parse, const struct weir_other *other,
		       struct weir_neighbour_reply *reply)
{
	struct message message;

	reply->reason = WEIR_DROP_ICMP;
	if (parse->own6 == NULL || !read_message(other, &message))
		return false;
	if (message.bytes[0] == ECHO_REQUEST)
		return answer_echo(parse, &message);
	if (message.bytes[0] < DISCOVERY_MIN || message.bytes[0] > DISCOVERY_MAX)
		return false;
	reply->reason = WEIR_DROP_ND;
	if (message.bytes[0] != SOLICITATION || !answer_solicitation(parse, &message))
		return false;
	reply->advertises = true;
	return true;
}
