/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole connections: the input is a list of what a remote, an application and a clock do. The stage
 * checks after every poll that nothing is acknowledged that was not delivered, that what is read is
 * what was sent, that SACK blocks name only what was sent and that no edge moves left; at the end
 * that every buffer is home. An honest remote, whose stream has an end, must also be able to finish
 * whatever happened before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/script/stage.h"
#include "wire/seg.h"

#define STREAM	    20000 /* bytes of an honest remote */
#define OPS_MOST    600
#define WAITING	    200 /* packets before a poll */
#define ROUNDS_MOST 400 /* polls in which an honest remote must get done */
#define MS	    1000000ull

struct input {
	const uint8_t *data;
	size_t left;
};

struct fuzz {
	struct stage *stage;
	struct stage_remote *remote;
	struct input input;
	bool honest;
	bool app_closed;
	uint32_t next; /* sequence number behind what was sent in order */
};

static uint32_t
take8(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->data++;
}

static uint32_t
take16(struct input *input)
{
	uint32_t high = take8(input);

	return high << 8 | take8(input);
}

static void
poll_now(struct fuzz *fuzz, uint64_t ns)
{
	fuzz->stage->now_ns += ns;
	stage_poll(fuzz->stage);
}

/* Bytes [seq, seq + len) and flags, with the usual options. */
static struct script_packet
packet_of(const struct fuzz *fuzz, uint8_t flags, uint32_t seq, uint32_t len)
{
	(void)fuzz;
	return (struct script_packet){.flags = flags,
				      .given = SCRIPT_GIVEN_ACK,
				      .seq = {.value = (int32_t)seq},
				      .end = {.value = (int32_t)seq + (int64_t)len},
				      .ack = {.value = 1},
				      .win = UINT16_MAX,
				      .times = 1};
}

static void
inject(struct fuzz *fuzz, const struct script_packet *packet)
{
	if (fuzz->stage->in_tail >= WAITING)
		poll_now(fuzz, 1000);
	stage_inject(fuzz->stage, 0, packet);
}

/* Of an honest remote's stream, cut where it ends. */
static void
send_bytes(struct fuzz *fuzz, uint32_t seq, uint32_t len, uint8_t flags)
{
	struct script_packet packet;

	if (fuzz->honest && seq - 1 >= STREAM)
		return;
	if (fuzz->honest && len > STREAM + 1 - seq)
		len = STREAM + 1 - seq;
	packet = packet_of(fuzz, flags | WEIR_TCP_ACK, seq, len);
	packet.other_bytes = seq >= 1 && seq + len <= 1 + fuzz->remote->delivered &&
			     fuzz->remote->first == 1;
	inject(fuzz, &packet);
}

static void
send_fin(struct fuzz *fuzz)
{
	struct script_packet packet =
		packet_of(fuzz, WEIR_TCP_FIN | WEIR_TCP_ACK, STREAM + 1, 0);

	inject(fuzz, &packet);
}

static void
send_next(struct fuzz *fuzz, uint32_t kind)
{
	static const uint16_t lens[] = {1448, 1460, 1, 100, 536, 2896, 7, 1400};
	uint32_t len = lens[kind & 7];

	send_bytes(fuzz, fuzz->next, len, kind & 8 ? WEIR_TCP_PSH : 0);
	if (fuzz->next + len <= STREAM + 1 || !fuzz->honest)
		fuzz->next += len;
}

static void
send_somewhere(struct fuzz *fuzz)
{
	uint32_t seq = 1 + take16(&fuzz->input) % (STREAM + 2000);

	send_bytes(fuzz, seq, 1 + take8(&fuzz->input) * 8, 0);
}

/* Near what the engine expects next. */
static void
send_near(struct fuzz *fuzz)
{
	uint32_t at = fuzz->remote->first + (uint32_t)fuzz->remote->delivered;
	int32_t off = (int8_t)take8(&fuzz->input);
	uint32_t len = take8(&fuzz->input);

	if (off < 0 && (uint32_t)-off >= at)
		off = 0;
	send_bytes(fuzz, at + (uint32_t)off, len, 0);
}

/* Anything: flags, numbers, options, marks. */
static void
send_odd(struct fuzz *fuzz)
{
	struct input *input = &fuzz->input;
	uint32_t at = fuzz->remote->first + (uint32_t)fuzz->remote->delivered;
	uint8_t flags = (uint8_t)take8(input);
	struct script_packet packet =
		packet_of(fuzz, flags, at + (uint32_t)(int16_t)take16(input), take8(input));

	packet.ack.value = (int8_t)take8(input);
	packet.ecn = (uint8_t)(take8(input) & 3);
	packet.urgent = (uint16_t)take8(input);
	if (flags & 0x80) {
		packet.given |= SCRIPT_GIVEN_OPTIONS;
		packet.options_len = (uint8_t)(take8(input) % 37);
		for (uint32_t i = 0; i < packet.options_len; i++)
			packet.options[i] = (uint8_t)take8(input);
	}
	inject(fuzz, &packet);
}

/* What an honest remote may send besides data: marks, missing or old timestamps, bad sums. */
static void
send_strange(struct fuzz *fuzz)
{
	uint32_t kind = take8(&fuzz->input);
	uint32_t left = fuzz->next <= STREAM ? STREAM + 1 - fuzz->next : 0;
	struct script_packet packet = packet_of(
		fuzz, (uint8_t)(WEIR_TCP_ACK | (kind & (WEIR_TCP_CWR | WEIR_TCP_ECE | WEIR_TCP_URG))),
		fuzz->next, left < 300 ? left : 300);

	packet.ecn = (uint8_t)(kind & 3);
	packet.bad_checksum = (kind & 12) == 4;
	if ((kind & 12) == 8)
		packet.given |= SCRIPT_GIVEN_OPTIONS; /* none */
	if ((kind & 12) == 12)
		packet.end = packet.seq;
	inject(fuzz, &packet);
}

static void
use_application(struct fuzz *fuzz)
{
	struct stage *stage = fuzz->stage;
	uint32_t what = take8(&fuzz->input);

	if (!fuzz->remote->live)
		return;
	if (what < 80)
		stage_call(stage, 0, SCRIPT_READ, UINT32_MAX);
	else if (what < 140 && fuzz->remote->n_leases < STAGE_LEASES / 2)
		stage_call(stage, 0, SCRIPT_LEASE, 0);
	else if (what < 200)
		stage_call(stage, 0, SCRIPT_RELEASE, 0);
	else if (what < 250)
		stage_call(stage, 0, SCRIPT_DISCARD, UINT32_MAX);
	else
		fuzz->app_closed = true;
	if (what == 254)
		stage_call(stage, 0, SCRIPT_CLOSE, 0);
	else if (what >= 250)
		stage_call(stage, 0, SCRIPT_ABORT, 0);
}

static void
pass_time(struct fuzz *fuzz)
{
	static const uint64_t times[] = {1000,	   100000,     MS,	  10 * MS,
					 41 * MS,  400 * MS,   1100 * MS, 61000 * MS};

	poll_now(fuzz, times[take8(&fuzz->input) & 7]);
}

static void
step(struct fuzz *fuzz)
{
	uint32_t op = take8(&fuzz->input);

	switch (op & 15) {
	case 8:
		send_somewhere(fuzz);
		break;
	case 9:
		send_near(fuzz);
		break;
	case 10:
		if (!fuzz->honest)
			send_odd(fuzz);
		else
			send_strange(fuzz);
		break;
	case 11:
		send_fin(fuzz);
		break;
	case 12:
		use_application(fuzz);
		break;
	case 13:
		pass_time(fuzz);
		break;
	case 14: /* a segment is lost, or buffers run out for a while; a lost SYN-ACK misleads the stage */
		if ((op & 16) != 0 && fuzz->honest)
			fuzz->stage->stack->pool.fail_every = op >> 5;
		else
			fuzz->next += fuzz->next < STREAM - 1500 ? 1448 : 0;
		break;
	default:
		send_next(fuzz, op & 15);
		break;
	}
	if (op >> 6 == 3)
		poll_now(fuzz, 1000);
}

static void
shake_hands(struct fuzz *fuzz)
{
	struct script_packet packet = packet_of(fuzz, WEIR_TCP_SYN, 0, 0);

	packet.given = 0;
	if (fuzz->remote->is.ecn != WEIR_ECN_OFF)
		packet.flags |= WEIR_TCP_ECE | WEIR_TCP_CWR;
	if (fuzz->remote->is.ecn == WEIR_ECN_ACCURATE)
		packet.flags |= WEIR_TCP_AE;
	inject(fuzz, &packet);
	poll_now(fuzz, 1000);
	packet = packet_of(fuzz, WEIR_TCP_ACK, 1, 0);
	inject(fuzz, &packet);
	poll_now(fuzz, 1000);
	fuzz->next = 1;
}

/* Everything that is still missing, then the FIN: the stream must end. */
static void
finish_stream(struct fuzz *fuzz)
{
	struct stage_remote *remote = fuzz->remote;

	fuzz->stage->stack->pool.fail_every = 0;
	for (uint32_t i = 0; i < ROUNDS_MOST && fuzz->stage->error[0] == 0; i++) {
		uint32_t at = remote->first + (uint32_t)remote->delivered;

		if (stage_state(fuzz->stage, 0) != WEIR_TCP_ESTABLISHED)
			break;
		stage_call(fuzz->stage, 0, SCRIPT_RELEASE, 0);
		stage_call(fuzz->stage, 0, SCRIPT_READ, UINT32_MAX);
		for (uint32_t n = 0; n < 4 && at <= STREAM; n++, at += 1000)
			send_bytes(fuzz, at, 1000, 0);
		if (at > STREAM)
			send_fin(fuzz);
		poll_now(fuzz, 50 * MS);
	}
	if (stage_state(fuzz->stage, 0) != WEIR_TCP_CLOSE_WAIT || remote->delivered != STREAM)
		stage_fail(fuzz->stage, "the stream did not end: %llu bytes delivered, state %s",
			   (unsigned long long)remote->delivered,
			   script_state_names[stage_state(fuzz->stage, 0)]);
}

static void
set_up(struct fuzz *fuzz)
{
	static const uint32_t buffers[] = {4096, 8192, 65536, 262144};
	static const uint32_t numbers[] = {1000000, 0, 4294960000u, 4294967295u};
	struct script_stack stack = {.buffers = 128, .flows = 4, .syns = 4, .time_waits = 4};
	struct script_listen listen = {.port = 9000, .backlog = 1024};
	uint32_t how = take8(&fuzz->input), more = take8(&fuzz->input);
	struct script_remote remote = {.name = "A", .port = 40000, .to = 9000, .mss = 1460};

	stack.time_wait_ms = 60000;
	listen.ack_policy = (uint16_t)((more & 3) % 3);
	listen.buffer = listen.buffer_max = buffers[more >> 2 & 3];
	if (listen.buffer == 8192) /* one of them tuned */
		listen.buffer_max = 1 << 20;
	remote.ts = how & 1;
	remote.sack = how & 2;
	remote.wscale = how & 4 ? -1 : 7;
	remote.ecn = (how & 8) == 0 ? WEIR_ECN_OFF : more & 2 ? WEIR_ECN_ACCURATE : WEIR_ECN_ON;
	listen.ecn = more & 1 ? WEIR_ECN_ACCURATE : WEIR_ECN_ON;
	remote.iss = numbers[more >> 4 & 3];
	listen.per_address = 2;
	listen.memory = (more >> 4 & 3) == 1 ? WEIR_LISTEN_BUFFERS_MIN : 0;
	remote.clock = 1000;
	fuzz->honest = how & 16;
	fuzz->stage->ip6 = (more & 3) == 3; /* policies leave this combination over */
	stage_begin(fuzz->stage, &stack, how & 128 ? 20 : 1 + (how >> 5 & 3));
	stage_listen(fuzz->stage, &listen);
	stage_remote(fuzz->stage, &remote);
	fuzz->remote = &fuzz->stage->remotes[0];
	fuzz->stage->on[WEIR_EVENT_DATA] = more & 64 ? SCRIPT_READ : SCRIPT_NOTHING;
	fuzz->stage->on[WEIR_EVENT_FIN] = more & 128 && !fuzz->honest ? SCRIPT_CLOSE
								      : SCRIPT_NOTHING;
}

/* One for all inputs. */
static struct stage *stage;

static void
end_stage(void)
{
	stage_free(stage);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {.input = {data, size}};

	if (stage == NULL) {
		stage = calloc(1, sizeof(*stage));
		if (stage == NULL || atexit(end_stage) != 0)
			abort();
	}
	fuzz.stage = stage;
	set_up(&fuzz);
	shake_hands(&fuzz);
	for (uint32_t i = 0; i < OPS_MOST && fuzz.input.left != 0 && stage->error[0] == 0; i++)
		step(&fuzz);
	poll_now(&fuzz, 1000);
	stage->stack->pool.fail_every = 0;
	if (fuzz.honest && fuzz.remote->live && !fuzz.app_closed && stage->error[0] == 0)
		finish_stream(&fuzz);
	if (stage->error[0] == 0)
		stage_finish(stage);
	if (stage->error[0] != 0) {
		fprintf(stderr, "%sconnection: %s\n", stage->transcript, stage->error);
		abort();
	}
	return 0;
}
