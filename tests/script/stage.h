/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where scripts are played: a stack in memory behind a port that the test is the other end of, its
 * application, and remotes that exist as numbers only. After every poll it checks what must hold in
 * any script: checksums, right edges, acknowledged bytes held, content of what is read.
 */
#ifndef WEIR_TESTS_STAGE_H
#define WEIR_TESTS_STAGE_H

#include "engine/engine.h"
#include "tests/script/script.h"

#define STAGE_PACKETS 1024 /* each way and poll */
#define STAGE_EVENTS  1024
#define STAGE_LEASES  512
#define STAGE_SENT    65536 /* bytes of a stream of which it is known whether they were sent */

struct stage_remote {
	struct script_remote is;
	weir_conn conn;
	bool live;      /* conn was accepted and has not been reported closed */
	uint32_t iss;   /* the engine's, once its SYN-ACK was seen */
	uint32_t first; /* number of the first byte of the stream: 1, later where ports are used again */
	uint32_t clock; /* the engine's first TSval */
	uint32_t echo;  /* its latest */
	uint8_t shift;  /* scale of the windows it receives */
	bool has_edge;
	uint32_t edge;  /* highest right edge it was told, relative to its own initial number */
	uint64_t delivered; /* bytes reported as readable */
	uint64_t read;
	bool fin_sent;
	uint32_t label; /* of its packets over IPv6, 0: none seen */
	uint8_t sent[STAGE_SENT / 8]; /* one bit per byte of the stream */
	uint64_t leases[STAGE_LEASES];
	uint32_t n_leases;
};

/* One packet that the engine sent: numbers relative as in a script. */
struct stage_seen {
	uint32_t remote;
	struct script_packet packet;
};

struct stage_event {
	uint32_t remote;
	uint32_t type, flags;
	uint64_t bytes;
};

struct stage {
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *port;
	struct weir_pool pool; /* of the remotes' frames */
	struct script_stack made; /* what the stack was made for */
	bool ip6; /* set by the user before stage_begin: remotes speak IPv6 */
	uint64_t began_ns, now_ns;
	struct stage_remote remotes[SCRIPT_REMOTES];
	uint32_t replaced; /* ended, CLOSED still to come, and their ports in use again */
	uint32_t n_remotes;
	enum script_call on[5]; /* by enum weir_event_type: what the handler does */
	struct rte_mbuf *in[STAGE_PACKETS]; /* on their way into the engine */
	uint32_t in_head, in_tail;
	/* of the last poll */
	struct stage_seen seen[STAGE_PACKETS];
	uint32_t n_seen;
	struct stage_event events[STAGE_EVENTS];
	uint32_t n_events;
	struct weir_stats before; /* the last step, its calls included */
	/* what came in all polls, to be compared between runs */
	char *transcript;
	size_t transcript_len, transcript_room;
	char error[SCRIPT_TEXT * 2]; /* the first thing that went wrong, empty when none did */
};

/* A zeroed stage becomes an empty one; later calls reset the same stack where its sizes agree. */
void stage_begin(struct stage *stage, const struct script_stack *config, uint32_t limit);
void stage_listen(struct stage *stage, const struct script_listen *listen);
void stage_remote(struct stage *stage, const struct script_remote *remote);
/* Read, release and abort what there is; then nothing may be missing. */
void stage_finish(struct stage *stage);
void stage_free(struct stage *stage);

void stage_inject(struct stage *stage, uint32_t remote, const struct script_packet *packet);
void stage_call(struct stage *stage, uint32_t remote, enum script_call call, uint32_t bytes);
/* At stage->now_ns. */
void stage_poll(struct stage *stage);
/* Index of script_state_names. */
uint32_t stage_state(const struct stage *stage, uint32_t remote);
uint64_t stage_level(const struct stage *stage, uint32_t remote, enum script_level level);
/* A script's number, relative to the remote's initial one. */
uint32_t stage_number(const struct stage *stage, uint32_t remote, struct script_number number);

void stage_fail(struct stage *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A packet as a script would have it, its window as win and edge. */
void stage_write(const struct stage_seen *seen, char *to, uint32_t size);

/* wire.c: one frame of the engine; stage->error tells when it is not what an engine may send. */
void stage_read_frame(struct stage *stage, const uint8_t *frame, uint32_t len);
uint8_t stage_byte(uint64_t offset);

#endif
