/* SPDX-License-Identifier: BSD-3-Clause */
/* Acknowledgment offload (Menon & Zwaenepoel 4.2): the train leaves the stack as one template. */
#include <rte_mbuf.h>

#include "engine/port.h"

/* As many buffers as the pool still has, at most n. */
static uint32_t
take_buffers(struct weir_pool *pool, struct rte_mbuf **out, uint32_t n)
{
	uint32_t got = 0;

	for (uint32_t step = n; step != 0 && got < n;) {
		if (step > n - got)
			step = n - got;
		if (weir_buf_alloc_bulk(pool, out + got, step))
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
	uint32_t n = take_buffers(pool, out, train->n);
	const struct weir_ack *ack = train->acks + (train->n - n);
	struct weir_ack_image image;

	if (n == 0)
		return 0;
	weir_header_image(train, &image);
	for (uint32_t i = 0; i < n; i++) {
		weir_header_ack(&image, &ack[i], rte_pktmbuf_mtod(out[i], uint8_t *));
		out[i]->data_len = (uint16_t)image.len;
		out[i]->pkt_len = image.len;
	}
	return n;
}
