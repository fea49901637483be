/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors of ICMP that we send, and how many answers of ICMP there may be: who provokes them is seldom
 * whom they reach. */
#include "engine/engine.h"
#include "engine/reply.h"
#include "wire/icmp_write.h"

#define TIME_EXCEEDED4	   11
#define TIME_EXCEEDED6	   3
#define REASSEMBLY	   1 /* code of both */
#define PARAMETER_PROBLEM6 4

bool
weir_engine_answer_allowed(struct weir_answers *answers, uint32_t now_ms, uint32_t per_ms,
			   uint32_t burst)
{
	uint64_t left = answers->left + (uint64_t)(now_ms - answers->ms) * per_ms;

	answers->ms = now_ms;
	answers->left = left < burst ? (uint32_t)left : burst;
	if (answers->left == 0)
		return false;
	answers->left--;
	return true;
}

/* Tags that the port took off stand in the answer. */
static bool
put_tags(struct rte_mbuf *buf, const struct rte_mbuf *about)
{
	buf->ol_flags = about->ol_flags;
	buf->vlan_tci = about->vlan_tci;
	buf->vlan_tci_outer = about->vlan_tci_outer;
	if (!weir_reply_can_tag(buf))
		return false;
	weir_reply_put_tags(buf);
	return true;
}

static bool
write_error(const struct weir_parse *parse, struct rte_mbuf *about, uint32_t l3_off,
	    const struct weir_icmp_say *say, struct rte_mbuf *buf)
{
	uint32_t len = weir_icmp_write(parse, about, l3_off, say, rte_pktmbuf_mtod(buf, uint8_t *),
				       rte_pktmbuf_tailroom(buf));

	buf->data_len = (uint16_t)len;
	buf->pkt_len = len;
	return len != 0 && (parse->l3 || put_tags(buf, about));
}

static void
say(struct weir_engine *engine, uint8_t port, struct rte_mbuf *about, uint32_t l3_off,
    const struct weir_icmp_say *what)
{
	struct weir_tcp *tcp = &engine->tcp;
	struct rte_mbuf *buf;

	if (!weir_engine_answer_allowed(&engine->echoes, tcp->now_ms, 1, WEIR_ECHO_BURST)) {
		tcp->stats.icmp_errors_limited++;
		return;
	}
	buf = weir_buf_alloc(tcp->pool);
	if (buf == NULL) {
		tcp->stats.drops[WEIR_DROP_TX_NO_BUFFER]++;
		return;
	}
	if (!write_error(&engine->ports[port].parse, about, l3_off, what, buf)) {
		weir_buf_free(tcp->pool, buf);
		return;
	}
	tcp->stats.icmp_errors_sent++;
	weir_engine_send(engine, port, buf);
}

void
weir_engine_say_problem(struct weir_engine *engine, uint8_t port, const struct weir_reject *reject)
{
	static const uint8_t codes[] = {
		[WEIR_PROBLEM_HEADER] = 0,
		[WEIR_PROBLEM_NEXT_HEADER] = 1,
		[WEIR_PROBLEM_OPTION] = 2,
		[WEIR_PROBLEM_OPTION_OF_ALL] = 2,
	};
	const struct weir_icmp_say what = {
		.type = PARAMETER_PROBLEM6,
		.code = codes[reject->problem],
		.to_groups = reject->problem == WEIR_PROBLEM_OPTION_OF_ALL,
		.pointer = reject->problem_off,
	};

	say(engine, port, reject->buf, reject->l3_off, &what);
}

void
weir_engine_say_expired(struct weir_engine *engine, const struct weir_datagram *datagram)
{
	const struct weir_piece *first = &datagram->pieces[0];
	const struct weir_icmp_say what = {
		.type = datagram->key.family == 4 ? TIME_EXCEEDED4 : TIME_EXCEEDED6,
		.code = REASSEMBLY,
	};

	say(engine, datagram->key.port, first->buf, first->l3_off, &what);
}
