/* SPDX-License-Identifier: BSD-3-Clause */
/* Acknowledgment offload (Menon & Zwaenepoel 4.2): the train leaves the stack as one template. */
#include <rte_mbuf.h>

#include "engine/port.h"

/* As many frames of `len` bytes as the pool still has buffers for, at most n. */
static uint32_t
take_frames(struct weir_pool *pool, struct rte_mbuf **out, uint32_t n, uint8_t len)
{
	uint32_t got = 0;

	for (uint32_t step = n; step != 0 && got < n;) {
		if (step > n - got)
			step = n - got;
		if (weir_buf_alloc_frames(pool, out + got, step, len))
			got += step;
		else
			step /= 2;
	}
	return got;
}

uint32_t
weir_ack_train_expand(struct weir_pool *pool, const struct weir_ack_template *train,
		      struct rte_mbuf **out)
{
	uint32_t n = take_frames(pool, out, train->n, train->header->len);
	const struct weir_ack *ack = train->acks + (train->n - n);
	struct weir_ack_image image;

	if (n == 0)
		return 0;
	image = weir_header_image(train);
	for (uint32_t i = 0; i < n; i++)
		weir_header_ack(&image, &ack[i], rte_pktmbuf_mtod(out[i], uint8_t *));
	return n;
}
