/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One segment for every state, flag combination, place of its sequence number, length and
 * acknowledgment. What must come of it is worked out here, from the text of RFC 9293 section 3.10.7
 * with RFC 5961 and RFC 1337, and from nothing else. Where weir does otherwise on purpose, CHOICE
 * says so and why.
 */
#include <stdio.h>
#include <string.h>

#include "tests/script/family.h"
#include "tests/script/script.h"
#include "wire/seg.h"

#define EDGE	   1000000 /* stands for the right edge, which scripts know by name */
#define MAX_WINDOW 65535   /* every packet of the remote says so, unscaled */
#define STRANGER   5       /* what a segment to nobody acknowledges */

enum state {
	CLOSED,
	LISTEN,
	SYN_RECEIVED,
	ESTABLISHED,
	FIN_WAIT_1,
	FIN_WAIT_2,
	CLOSE_WAIT,
	CLOSING,
	LAST_ACK,
	TIME_WAIT,
	STATES
};

static const char *const names[STATES] = {"closed",	"listen",     "syn-received", "established",
					  "fin-wait-1", "fin-wait-2", "close-wait",   "closing",
					  "last-ack",	"time-wait"};

/* Numbers relative to the initial ones, as in scripts. */
struct connection {
	enum state state;
	int64_t snd_una, snd_nxt, rcv_nxt;
};

static const struct connection begin[STATES] = {
	[CLOSED] = {CLOSED, 0, 0, 0},	      [LISTEN] = {LISTEN, 0, 0, 0},
	[SYN_RECEIVED] = {SYN_RECEIVED, 0, 1, 1}, [ESTABLISHED] = {ESTABLISHED, 1, 1, 1},
	[FIN_WAIT_1] = {FIN_WAIT_1, 1, 2, 1}, [FIN_WAIT_2] = {FIN_WAIT_2, 2, 2, 1},
	[CLOSE_WAIT] = {CLOSE_WAIT, 1, 1, 2}, [CLOSING] = {CLOSING, 1, 2, 2},
	[LAST_ACK] = {LAST_ACK, 1, 2, 2},     [TIME_WAIT] = {TIME_WAIT, 2, 2, 2},
};

struct segment {
	uint8_t flags;
	int64_t seq, len, ack;
};

/* What must come: at most one packet, and events. */
struct outcome {
	struct connection conn;
	char answer[64]; /* empty: none */
	char events[64]; /* lines */
};

static bool
has(const struct segment *seg, uint8_t flag)
{
	return (seg->flags & flag) != 0;
}

static int64_t
space(const struct segment *seg)
{
	return seg->len + has(seg, WEIR_TCP_SYN) + has(seg, WEIR_TCP_FIN);
}

static void
answer_ack(struct outcome *out)
{
	snprintf(out->answer, sizeof(out->answer), "< . %lld ack %lld\n",
		 (long long)out->conn.snd_nxt, (long long)out->conn.rcv_nxt);
}

static void
answer_reset_of_ack(struct outcome *out, const struct segment *seg)
{
	snprintf(out->answer, sizeof(out->answer), "< R %lld\n", (long long)seg->ack);
}

static void
say(struct outcome *out, const char *event)
{
	size_t len = strlen(out->events);

	snprintf(out->events + len, sizeof(out->events) - len, "event %s\n", event);
}

/* 3.10.7.1 */
static void
in_closed(struct outcome *out, const struct segment *seg)
{
	if (has(seg, WEIR_TCP_RST))
		return;
	if (has(seg, WEIR_TCP_ACK))
		answer_reset_of_ack(out, seg);
	else
		snprintf(out->answer, sizeof(out->answer), "< R. 0 ack %lld\n",
			 (long long)(seg->seq + space(seg)));
}

/* 3.10.7.2; data on a SYN may be left for the remote to send again. */
static void
in_listen(struct outcome *out, const struct segment *seg)
{
	if (has(seg, WEIR_TCP_RST))
		return;
	if (has(seg, WEIR_TCP_ACK)) {
		answer_reset_of_ack(out, seg);
		return;
	}
	if (!has(seg, WEIR_TCP_SYN))
		return;
	out->conn.state = SYN_RECEIVED;
	if (seg->seq < EDGE / 2)
		snprintf(out->answer, sizeof(out->answer), "< S. 0 ack %lld\n",
			 (long long)seg->seq + 1);
	else /* the old edge is forgotten with the answer */
		snprintf(out->answer, sizeof(out->answer), "< S. 0\n");
}

/* 3.10.7.4 first step: the table, for a window that is open. */
static bool
is_acceptable(const struct outcome *out, const struct segment *seg)
{
	int64_t nxt = out->conn.rcv_nxt, last = seg->seq + space(seg) - 1;

	if (nxt <= seg->seq && seg->seq < EDGE)
		return true;
	return space(seg) != 0 && nxt <= last && last < EDGE;
}

static bool
check_sequence(struct outcome *out, const struct segment *seg)
{
	/* CHOICE: TIME-WAIT keeps neither window nor the largest one it was offered. Only an ACK of
	 * all that was sent, at the place where it is due, is left without an answer. */
	if (out->conn.state == TIME_WAIT && !has(seg, WEIR_TCP_RST)) {
		if (space(seg) != 0 || seg->seq != out->conn.rcv_nxt ||
		    seg->ack != out->conn.snd_nxt)
			answer_ack(out);
		return false;
	}
	if (is_acceptable(out, seg))
		return true;
	/* CHOICE: an empty segment right at the edge is taken. A remote that has filled the window
	 * sends its ACKs from there, and what they acknowledge counts. */
	if (space(seg) == 0 && seg->seq == EDGE && !has(seg, WEIR_TCP_RST) &&
	    out->conn.state != SYN_RECEIVED)
		return true;
	if (!has(seg, WEIR_TCP_RST))
		answer_ack(out);
	return false;
}

/* Second step, with RFC 5961 3.2. */
static bool
check_reset(struct outcome *out, const struct segment *seg)
{
	if (!has(seg, WEIR_TCP_RST))
		return true;
	/* CHOICE: RFC 1337 fix F1, no RST ends TIME-WAIT, and none is answered there. */
	if (out->conn.state == TIME_WAIT)
		return false;
	if (seg->seq != out->conn.rcv_nxt) {
		answer_ack(out);
		return false;
	}
	if (out->conn.state != SYN_RECEIVED)
		say(out, "closed reset");
	out->conn.state = CLOSED;
	return false;
}

/* Fourth step, with RFC 5961 4.2: a challenge, wherever the sequence number is. */
static bool
check_syn(struct outcome *out, const struct segment *seg)
{
	if (!has(seg, WEIR_TCP_SYN))
		return true;
	answer_ack(out);
	return false;
}

static void
acknowledge_fin(struct outcome *out)
{
	if (out->conn.state == FIN_WAIT_1) {
		out->conn.state = FIN_WAIT_2;
	} else if (out->conn.state == CLOSING) {
		out->conn.state = TIME_WAIT;
		say(out, "closed done");
	} else if (out->conn.state == LAST_ACK) {
		out->conn.state = CLOSED;
		say(out, "closed done");
	}
}

/* Fifth step, with RFC 5961 5.2. */
static bool
check_ack(struct outcome *out, const struct segment *seg)
{
	struct connection *conn = &out->conn;

	if (!has(seg, WEIR_TCP_ACK))
		return false;
	if (conn->state == SYN_RECEIVED) {
		if (seg->ack <= conn->snd_una || seg->ack > conn->snd_nxt) {
			answer_reset_of_ack(out, seg);
			return false;
		}
		conn->state = ESTABLISHED;
		conn->snd_una = seg->ack;
		say(out, "accepted");
		return true;
	}
	if (seg->ack < conn->snd_una - MAX_WINDOW || seg->ack > conn->snd_nxt) {
		answer_ack(out);
		return false;
	}
	if (seg->ack > conn->snd_una) {
		conn->snd_una = seg->ack;
		acknowledge_fin(out);
	}
	return true;
}

/* Eighth step: the FIN is in order. */
static void
take_fin(struct outcome *out)
{
	struct connection *conn = &out->conn;

	conn->rcv_nxt++;
	if (conn->state == ESTABLISHED) {
		conn->state = CLOSE_WAIT;
		say(out, "fin");
	} else if (conn->state == FIN_WAIT_1) {
		conn->state = CLOSING;
	} else {
		conn->state = TIME_WAIT;
		say(out, "closed done");
	}
}

/* Seventh and eighth step. */
static void
take_text(struct outcome *out, const struct segment *seg)
{
	struct connection *conn = &out->conn;
	int64_t from = seg->seq < conn->rcv_nxt ? conn->rcv_nxt : seg->seq;
	int64_t to = seg->seq + seg->len < EDGE ? seg->seq + seg->len : EDGE;
	bool fin = has(seg, WEIR_TCP_FIN) && seg->seq + seg->len < EDGE;
	char event[32];

	if (conn->state == CLOSED || conn->state == TIME_WAIT || space(seg) == 0)
		return;
	if (conn->state >= CLOSE_WAIT) {
		/* CHOICE: the RFC ignores what lies behind the FIN; an ACK tells who is lost. */
		answer_ack(out);
		return;
	}
	if (to > from && conn->state != ESTABLISHED) { /* RFC 9293 3.6.1: nobody will read it */
		snprintf(out->answer, sizeof(out->answer), "< R. %lld ack %lld\n",
			 (long long)conn->snd_nxt, (long long)conn->rcv_nxt);
		conn->state = CLOSED;
		say(out, "closed aborted");
		return;
	}
	if (from == conn->rcv_nxt) {
		if (to > from) {
			conn->rcv_nxt = to;
			snprintf(event, sizeof(event), "data %lld", (long long)(to - from));
			say(out, event);
		}
		if (fin)
			take_fin(out);
	}
	answer_ack(out);
}

static void
in_syn_received_syn(struct outcome *out, const struct segment *seg)
{
	/* CHOICE: the same SYN again is answered with the SYN-ACK again, which was lost perhaps; any
	 * other one with a challenge, as RFC 5961 4.2 has it for later states, since else a blind
	 * SYN would end the handshake. */
	if (seg->seq == 0 && !has(seg, WEIR_TCP_ACK))
		snprintf(out->answer, sizeof(out->answer), "< S. 0 ack 1\n");
	else
		answer_ack(out);
}

/* RFC 1122 4.2.2.13, without timestamps: a SYN beyond all that was received begins anew. */
static bool
begins_anew(const struct outcome *out, const struct segment *seg)
{
	return out->conn.state == TIME_WAIT && has(seg, WEIR_TCP_SYN) &&
	       !has(seg, WEIR_TCP_ACK) && seg->seq > out->conn.rcv_nxt;
}

static void
work_out(struct outcome *out, const struct segment *seg)
{
	enum state was = out->conn.state;

	/* CHOICE: what no state can use is dropped before anybody looks for its connection. */
	if ((seg->flags & (WEIR_TCP_SYN | WEIR_TCP_RST | WEIR_TCP_ACK | WEIR_TCP_FIN)) == 0 ||
	    (has(seg, WEIR_TCP_SYN) && (seg->flags & (WEIR_TCP_FIN | WEIR_TCP_RST)) != 0))
		return;
	if (was == CLOSED)
		in_closed(out, seg);
	else if (was == LISTEN || begins_anew(out, seg))
		in_listen(out, seg);
	else if (was == SYN_RECEIVED && has(seg, WEIR_TCP_SYN))
		in_syn_received_syn(out, seg);
	else if (check_sequence(out, seg) && check_reset(out, seg) && check_syn(out, seg) &&
		 check_ack(out, seg))
		take_text(out, seg);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	bool from_edge;
	int off; /* of the first byte */
	bool with_data, without;
} places[] = {
	{"old", false, -20, true, true},	   {"just-old", false, -10, true, false},
	{"left-of-edge", false, -1, true, true},   {"over-left-edge", false, -5, true, false},
	{"left-edge", false, 0, true, true},	   {"inside", false, 100, true, true},
	{"to-right-edge", true, -10, true, false}, {"over-right-edge", true, -5, true, false},
	{"last", true, -1, true, true},		   {"right-edge", true, 0, true, true},
	{"beyond", true, 100, true, true},
};

enum ack_kind { ACK_UNA, ACK_NXT, ACK_FUTURE, ACK_OLDEST, ACK_ANCIENT, ACK_KINDS };
static const char *const ack_names[ACK_KINDS] = {"una", "nxt", "future", "oldest", "ancient"};

static int64_t
ack_of(const struct connection *conn, enum ack_kind kind)
{
	switch (kind) {
	case ACK_UNA:
		return conn->state <= LISTEN ? STRANGER : conn->snd_una;
	case ACK_NXT:
		return conn->snd_nxt;
	case ACK_FUTURE:
		return conn->snd_nxt + 1;
	case ACK_OLDEST:
		return conn->snd_una - MAX_WINDOW;
	default:
		return conn->snd_una - MAX_WINDOW - 1;
	}
}

/* Without its bit the field means nothing, nobody knows a stranger's numbers, and with PSH and URG
 * one number is enough. */
static bool
is_wanted(const struct connection *conn, uint8_t flags, enum ack_kind kind)
{
	if (kind == (conn->state == SYN_RECEIVED ? ACK_NXT : ACK_UNA))
		return true;
	if ((flags & WEIR_TCP_ACK) == 0 || (flags & (WEIR_TCP_PSH | WEIR_TCP_URG)) != 0 ||
	    conn->state <= LISTEN)
		return false;
	return kind != ACK_NXT || conn->snd_nxt != conn->snd_una;
}

static uint32_t
write_number(char *to, uint32_t size, int64_t n)
{
	if (n < EDGE / 2)
		return (uint32_t)snprintf(to, size, "%lld", (long long)n);
	return (uint32_t)snprintf(to, size, "edge%+lld", (long long)(n - EDGE));
}

static void
write_script(char *to, uint32_t size, const char *name, enum state state,
	     const struct segment *seg, const struct outcome *out)
{
	char flags[10], start[32], end[32], enter[32] = "", ack[32] = "";

	script_flags_write(seg->flags, flags);
	write_number(start, sizeof(start), seg->seq);
	write_number(end, sizeof(end), seg->seq + seg->len);
	if (state > LISTEN)
		snprintf(enter, sizeof(enter), "enter %s\n", names[state]);
	if (has(seg, WEIR_TCP_ACK))
		snprintf(ack, sizeof(ack), " ack %lld", (long long)seg->ack);
	snprintf(to, size,
		 "# RFC 9293 3.10.7: %s\n"
		 "remote A ts=off sack=off ws=off%s\n"
		 "%s> %s %s:%s%s\n"
		 "drop any\n%s%sstate %s\n",
		 name, state == CLOSED ? " to=9999" : "", enter, flags, start, end,
		 ack, out->answer, out->events,
		 names[out->conn.state == LISTEN ? CLOSED : out->conn.state]);
}

static void
take_case(const struct family_taker *taker, enum state state, uint8_t tcp_flags, uint32_t place,
	  int64_t len, enum ack_kind kind)
{
	struct outcome out = {.conn = begin[state]};
	struct segment seg = {
		.flags = tcp_flags,
		.seq = (places[place].from_edge ? EDGE : out.conn.rcv_nxt) + places[place].off,
		.len = len,
		.ack = ack_of(&out.conn, kind),
	};
	char flags[10], name[96], text[768];

	if (places[place].from_edge && state <= LISTEN) /* nobody knows an edge */
		return;
	script_flags_write(tcp_flags, flags);
	snprintf(name, sizeof(name), "%s/%s/%s/%lld/%s", names[state], flags, places[place].name,
		 (long long)len, ack_names[kind]);
	work_out(&out, &seg);
	write_script(text, sizeof(text), name, state, &seg, &out);
	taker->take(taker->user, name, text);
}

void
family_states(const struct family_taker *taker)
{
	for (enum state state = 0; state < STATES; state++)
		for (uint32_t flags = 0; flags < 64; flags++)
			for (uint32_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
				for (enum ack_kind kind = 0; kind < ACK_KINDS; kind++) {
					if (!is_wanted(&begin[state], (uint8_t)flags, kind))
						continue;
					if (places[p].with_data)
						take_case(taker, state, (uint8_t)flags, p, 10,
							  kind);
					if (places[p].without)
						take_case(taker, state, (uint8_t)flags, p, 0,
							  kind);
				}
}
