/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets between the stage and its engine: building the remotes', reading the engine's. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/script/stage.h"
#include "tests/unit/frame.h"

#define NS_PER_MS 1000000

uint8_t
stage_byte(uint64_t offset)
{
	return (uint8_t)((offset * 0x9e3779b97f4a7c15u) >> 56);
}

uint32_t
stage_number(const struct stage *stage, uint32_t remote, struct script_number number)
{
	uint32_t base = number.edge ? stage->remotes[remote].edge : 0;

	return base + (uint32_t)number.value;
}

/* What a remote puts into its packets when the script does not say. */
static uint32_t
usual_options(const struct stage *stage, const struct stage_remote *remote, bool syn,
	      struct frame_spec *spec, uint8_t options[12])
{
	uint32_t n = 0;

	spec->has_ts = remote->is.ts;
	spec->tsval = remote->is.clock +
		      (uint32_t)((stage->now_ns - stage->began_ns) / NS_PER_MS);
	spec->tsecr = remote->echo;
	if (!syn)
		return 0;
	options[n++] = 2;
	options[n++] = 4;
	options[n++] = (uint8_t)(remote->is.mss >> 8);
	options[n++] = (uint8_t)remote->is.mss;
	if (remote->is.sack) {
		options[n++] = 4;
		options[n++] = 2;
	}
	if (remote->is.wscale >= 0) {
		options[n++] = 3;
		options[n++] = 3;
		options[n++] = (uint8_t)remote->is.wscale;
	}
	return n;
}

static void
push(struct stage *stage, const struct frame_spec *spec)
{
	struct rte_mbuf *frame;

	if (stage->in_tail == STAGE_PACKETS) {
		stage_fail(stage, "more than %d packets in one poll", STAGE_PACKETS);
		return;
	}
	frame = frame_build(&stage->pool, spec);
	if (frame == NULL)
		stage_fail(stage, "no buffer for the remote's packet");
	else
		stage->in[stage->in_tail++] = frame;
}

/* Bytes of [seq, seq + len) that may be held and reported from now on. */
static void
note_sent(struct stage_remote *remote, uint32_t seq, uint32_t len)
{
	for (uint32_t i = seq - 1; len-- != 0; i++)
		if (i < STAGE_SENT)
			remote->sent[i / 8] |= (uint8_t)(1u << i % 8);
}

void
stage_inject(struct stage *stage, uint32_t index, const struct script_packet *packet)
{
	static uint8_t payload[UINT16_MAX];
	struct stage_remote *remote = &stage->remotes[index];
	uint32_t seq = stage_number(stage, index, packet->seq);
	uint32_t len = stage_number(stage, index, packet->end) - seq;
	bool syn = (packet->flags & WEIR_TCP_SYN) != 0;
	struct frame_spec spec;
	uint8_t options[12];

	frame_spec_init(&spec);
	spec.ip6 = stage->ip6;
	spec.src += remote->is.host;
	spec.src6[7] = (uint8_t)(spec.src6[7] + remote->is.host);
	spec.sport = remote->is.port;
	spec.dport = remote->is.to;
	spec.seq = remote->is.iss + seq;
	spec.ack = packet->given & SCRIPT_GIVEN_ACK
			   ? remote->iss + (uint32_t)packet->ack.value
			   : 0;
	spec.flags = packet->flags;
	spec.win = packet->win;
	spec.urgent = packet->urgent;
	spec.tos = packet->ecn;
	spec.bad_tcp_csum = packet->bad_checksum;
	spec.tcp_options = options;
	if (packet->given & SCRIPT_GIVEN_OPTIONS) {
		spec.tcp_options = packet->options;
		spec.tcp_options_len = packet->options_len;
	} else {
		spec.tcp_options_len =
			(uint8_t)usual_options(stage, remote, syn, &spec, options);
	}
	if (len > 20000) {
		stage_fail(stage, "a packet of %u bytes", len);
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)(stage_byte((uint64_t)(int32_t)(seq + i) - 1) ^
				       (packet->other_bytes ? 0xff : 0));
	spec.payload = payload;
	spec.len = len;
	remote->fin_sent |= (packet->flags & WEIR_TCP_FIN) != 0;
	if (!packet->bad_checksum)
		note_sent(remote, seq, len);
	for (uint32_t i = 0; i < packet->times; i++)
		push(stage, &spec);
}

/* ---- what the engine sends ---- */

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
load16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void
read_sacks(struct script_packet *packet, const uint8_t *p, uint32_t base)
{
	packet->n_sacks = (p[1] - 2u) / 8;
	for (uint32_t i = 0; i < packet->n_sacks && i < 4; i++) {
		packet->sacks[i][0] = load32(p + 2 + 8 * i) - base;
		packet->sacks[i][1] = load32(p + 6 + 8 * i) - base;
	}
}

static bool
read_accecn(struct script_packet *packet, const uint8_t *p)
{
	if ((p[0] != 172 && p[0] != 174) || p[1] % 3 != 2 || p[1] > 11)
		return false;
	packet->given |= SCRIPT_GIVEN_ACCECN;
	packet->accecn[0] = p[0];
	packet->n_accecn = (p[1] + 1u) / 3;
	for (uint32_t i = 1; i < packet->n_accecn; i++)
		packet->accecn[i] = load16(p + 3 * i - 1) << 8 | p[3 * i + 1];
	return true;
}

static bool
read_option(struct script_packet *packet, const uint8_t *p, uint32_t base)
{
	switch (p[0] << 8 | p[1]) {
	case 2 << 8 | 4:
		packet->given |= SCRIPT_GIVEN_MSS;
		packet->mss = (uint16_t)load16(p + 2);
		return true;
	case 3 << 8 | 3:
		packet->given |= SCRIPT_GIVEN_WS;
		packet->wscale = p[2];
		return true;
	case 4 << 8 | 2:
		packet->given |= SCRIPT_GIVEN_SACKOK;
		return true;
	case 8 << 8 | 10:
		packet->given |= SCRIPT_GIVEN_TS;
		packet->tsval = load32(p + 2);
		packet->tsecr = load32(p + 6);
		return true;
	default:
		if (p[0] != 5)
			return read_accecn(packet, p);
		if (p[1] < 10 || p[1] > 34 || (p[1] - 2) % 8 != 0)
			return false;
		read_sacks(packet, p, base);
		return true;
	}
}

static bool
read_options(struct script_packet *packet, const uint8_t *p, uint32_t len, uint32_t base)
{
	for (uint32_t i = 0; i < len && p[i] != 0;) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= len || p[i + 1] < 2 || i + p[i + 1] > len ||
		    !read_option(packet, p + i, base))
			return false;
		i += p[i + 1];
	}
	return true;
}

/* Where TCP begins in the engine's frames. */
static uint32_t
tcp_off(const struct stage *stage)
{
	return stage->ip6 ? 14 + 40 : 14 + 20;
}

/* The IP header as it must be; the pseudo header to `pseudo`, the host to *host. */
static bool
is_sound_ip4(const uint8_t *ip, uint32_t tcp_len, uint8_t pseudo[12], uint32_t *host)
{
	*host = load32(ip + 16) - FRAME_REMOTE_IP;
	memcpy(pseudo, ip + 12, 8);
	memcpy(pseudo + 8, (uint8_t[]){0, 6, (uint8_t)(tcp_len >> 8), (uint8_t)tcp_len}, 4);
	return ip[0] == 0x45 && ip[9] == 6 && load16(ip + 2) == 20 + tcp_len &&
	       frame_csum(ip, 20, 0) == 0 && load32(ip + 12) == FRAME_LOCAL_IP &&
	       *host < SCRIPT_HOSTS;
}

/* The same of IPv6, with a flow label. */
static bool
is_sound_ip6(const uint8_t *ip, uint32_t tcp_len, uint8_t pseudo[40], uint32_t *host)
{
	*host = load32(ip + 28) - load32(frame_remote_ip6 + 4);
	memset(pseudo, 0, 40);
	memcpy(pseudo, ip + 8, 32);
	pseudo[34] = (uint8_t)(tcp_len >> 8);
	pseudo[35] = (uint8_t)tcp_len;
	pseudo[39] = 6;
	return ip[0] >> 4 == 6 && ip[6] == 6 && load16(ip + 4) == tcp_len &&
	       (load32(ip) & 0xfffff) != 0 && memcmp(ip + 8, frame_local_ip6, 16) == 0 &&
	       memcmp(ip + 24, frame_remote_ip6, 4) == 0 && *host < SCRIPT_HOSTS &&
	       memcmp(ip + 32, frame_remote_ip6 + 8, 8) == 0;
}

/* Ethernet, IP and TCP as they must be; all sums by the tests' own arithmetic. */
static bool
is_sound(const struct stage *stage, const uint8_t *frame, uint32_t len, uint32_t *host)
{
	const uint32_t off = tcp_off(stage), header = len > off + 12 ? frame[off + 12] >> 4 : 0;
	uint8_t pseudo[40];

	if (len < off + 20 || memcmp(frame, frame_remote_mac, 6) != 0 ||
	    memcmp(frame + 6, frame_local_mac, 6) != 0 ||
	    load16(frame + 12) != (stage->ip6 ? 0x86dd : 0x0800) || header < 5 ||
	    header * 4 > len - off)
		return false;
	if (!(stage->ip6 ? is_sound_ip6 : is_sound_ip4)(frame + 14, len - off, pseudo, host))
		return false;
	return frame_csum(frame + off, len - off,
			  (uint16_t)~frame_csum(pseudo, stage->ip6 ? 40 : 12, 0)) == 0;
}

static int
by_port(const struct stage *stage, uint32_t host, uint32_t port, uint32_t from)
{
	for (uint32_t i = 0; i < stage->n_remotes; i++)
		if (stage->remotes[i].is.host == host && stage->remotes[i].is.port == port &&
		    stage->remotes[i].is.to == from)
			return (int)i;
	return -1;
}

/* A SYN-ACK begins a connection: its numbers are what the others are relative to. */
static void
learn(struct stage_remote *remote, const struct script_packet *packet, uint32_t seq, uint32_t ack)
{
	if (remote->iss != seq) /* not when it is sent again */
		remote->clock = packet->tsval;
	remote->iss = seq;
	remote->first = ack - remote->is.iss;
	remote->shift = packet->given & SCRIPT_GIVEN_WS ? packet->wscale : 0;
	remote->has_edge = false;
	remote->edge = 0;
}

/* The right edge never moves left, but for less than one unit (RFC 7323 2.4). */
static void
check_edge(struct stage *stage, struct stage_remote *remote, struct script_packet *packet)
{
	uint32_t shift = packet->flags & WEIR_TCP_SYN ? 0 : remote->shift;
	uint32_t edge = (uint32_t)packet->ack.value + ((uint32_t)packet->win << shift);
	int32_t left = (int32_t)(remote->edge - edge);

	packet->edge.value = (int32_t)edge;
	if ((packet->flags & WEIR_TCP_RST) != 0 || !(packet->flags & WEIR_TCP_ACK))
		return;
	if (remote->has_edge && left >= 1 << remote->shift)
		stage_fail(stage, "the right edge moved left by %d to %u", left, edge);
	if (!remote->has_edge || left < 0)
		remote->edge = edge;
	remote->has_edge = true;
}

/* One label for all packets of a flow (RFC 6437 3). */
static void
check_label(struct stage *stage, struct stage_remote *remote, uint32_t label)
{
	if (remote->label != 0 && remote->label != label)
		stage_fail(stage, "flow label %x after %x", label, remote->label);
	remote->label = label;
}

void
stage_read_frame(struct stage *stage, const uint8_t *frame, uint32_t len)
{
	const uint8_t *tcp = frame + tcp_off(stage);
	struct stage_seen *seen = &stage->seen[stage->n_seen];
	struct script_packet *packet = &seen->packet;
	struct stage_remote *remote;
	uint32_t host;
	int index;

	memset(seen, 0, sizeof(*seen));
	if (!is_sound(stage, frame, len, &host) ||
	    (index = by_port(stage, host, load16(tcp + 2), load16(tcp))) < 0) {
		stage_fail(stage, "a frame of %u bytes that is no sound packet to a remote", len);
		return;
	}
	remote = &stage->remotes[index];
	if (stage->ip6)
		check_label(stage, remote, load32(frame + 14) & 0xfffff);
	seen->remote = (uint32_t)index;
	packet->flags = (uint16_t)((tcp[12] & 1) << 8 | tcp[13]);
	packet->win = (uint16_t)load16(tcp + 14);
	if (!read_options(packet, tcp + 20, (tcp[12] >> 4) * 4u - 20, remote->is.iss))
		stage_fail(stage, "an option that nobody knows");
	if (packet->flags & WEIR_TCP_SYN)
		learn(remote, packet, load32(tcp + 4), load32(tcp + 8));
	packet->seq.value = (int32_t)(load32(tcp + 4) - remote->iss);
	packet->end.value =
		packet->seq.value + (int32_t)(len - tcp_off(stage) - (tcp[12] >> 4) * 4u);
	packet->ack.value = packet->flags & WEIR_TCP_ACK
				    ? (int32_t)(load32(tcp + 8) - remote->is.iss)
				    : 0;
	if (packet->given & SCRIPT_GIVEN_TS) {
		remote->echo = packet->tsval;
		packet->tsval -= remote->clock;
	}
	check_edge(stage, remote, packet);
	stage->n_seen++;
}

static uint32_t
append(char *to, uint32_t at, uint32_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static uint32_t
append(char *to, uint32_t at, uint32_t size, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(to + at, size - at, format, arguments);
	va_end(arguments);
	return n < 0 || (uint32_t)n >= size - at ? size - 1 : at + (uint32_t)n;
}

void
stage_write(const struct stage_seen *seen, char *to, uint32_t size)
{
	const struct script_packet *p = &seen->packet;
	char flags[10];
	uint32_t n;

	script_flags_write(p->flags, flags);
	n = append(to, 0, size, "< %s %lld", flags, (long long)p->seq.value);
	if (p->end.value != p->seq.value)
		n = append(to, n, size, ":%lld", (long long)p->end.value);
	if (p->flags & WEIR_TCP_ACK)
		n = append(to, n, size, " ack %lld", (long long)p->ack.value);
	n = append(to, n, size, " win %u edge %lld <", p->win, (long long)p->edge.value);
	if (p->given & SCRIPT_GIVEN_MSS)
		n = append(to, n, size, "mss %u,", p->mss);
	if (p->given & SCRIPT_GIVEN_SACKOK)
		n = append(to, n, size, "sackOK,");
	if (p->given & SCRIPT_GIVEN_TS)
		n = append(to, n, size, "ts %u %u,", p->tsval, p->tsecr);
	if (p->given & SCRIPT_GIVEN_WS)
		n = append(to, n, size, "ws %u,", p->wscale);
	for (uint32_t i = 0; i < p->n_accecn; i++)
		n = i == 0 ? append(to, n, size, "accecn%u", (p->accecn[0] - 172) / 2)
			   : append(to, n, size, " %u", p->accecn[i]);
	if (p->n_accecn != 0)
		n = append(to, n, size, ",");
	if (p->n_sacks != 0)
		n = append(to, n, size, "sack");
	for (uint32_t i = 0; i < p->n_sacks; i++)
		n = append(to, n, size, " %d:%d", (int32_t)p->sacks[i][0], (int32_t)p->sacks[i][1]);
	if (to[n - 1] == ',')
		n--;
	append(to, n, size, ">");
}
