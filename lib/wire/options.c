/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/head.h"
#include "wire/options.h"
#include "wire/seg.h"

enum { /* option kinds */
       KIND_END = 0,
       KIND_NOP = 1,
       KIND_MSS = 2,
       KIND_WSCALE = 3,
       KIND_SACK_PERMITTED = 4,
       KIND_TIMESTAMP = 8,
};

#define WSCALE_MAX 14 /* RFC 7323 2.3 */

static void
read_timestamp(const uint8_t *option, struct weir_tcp_options *out)
{
	out->has_ts = true;
	out->tsval = weir_load_be32(option + 2);
	out->tsecr = weir_load_be32(option + 6);
}

static void
read_wscale(uint8_t shift, struct weir_tcp_options *out)
{
	out->has_wscale = true;
	out->wscale = shift > WSCALE_MAX ? WSCALE_MAX : shift;
}

/* Kind and length are matched together: a known kind with a wrong length is an unknown option. */
static void
read_option(const uint8_t *option, struct weir_tcp_options *out)
{
	switch (option[0] << 8 | option[1]) {
	case KIND_MSS << 8 | 4:
		out->mss = weir_load_be16(option + 2);
		break;
	case KIND_WSCALE << 8 | 3:
		read_wscale(option[2], out);
		break;
	case KIND_SACK_PERMITTED << 8 | 2:
		out->sack_permitted = true;
		break;
	case KIND_TIMESTAMP << 8 | 10:
		read_timestamp(option, out);
		break;
	}
}

/* A SYN as Linux sends it, 20 bytes: MSS, SACK-permitted, timestamp, NOP, window scale. In a flood each
 * is read, so this one is told by its constant bytes. */
static bool
read_usual_syn(const uint8_t *p, struct weir_tcp_options *out)
{
	if (weir_load_be16(p) != (KIND_MSS << 8 | 4) ||
	    weir_load_be32(p + 4) != (KIND_SACK_PERMITTED << 24 | 2 << 16 | KIND_TIMESTAMP << 8 | 10) ||
	    weir_load_be32(p + 16) >> 8 != (KIND_NOP << 16 | KIND_WSCALE << 8 | 3))
		return false;
	out->mss = weir_load_be16(p + 2);
	out->sack_permitted = true;
	read_timestamp(p + 6, out);
	read_wscale(p[19], out);
	return true;
}

void
weir_tcp_options_read(const uint8_t *p, uint32_t len, struct weir_tcp_options *out)
{
	uint32_t off = 0, option_len;

	memset(out, 0, sizeof(*out));
	if (len == 20 && read_usual_syn(p, out))
		return;
	while (off < len && p[off] != KIND_END) {
		if (p[off] == KIND_NOP) {
			off++;
			continue;
		}
		/* A lone kind byte at the very end has no length byte to read. */
		option_len = len - off < 2 ? 0 : p[off + 1];
		if (option_len < 2 || option_len > len - off) {
			out->malformed = true;
			return;
		}
		read_option(p + off, out);
		off += option_len;
	}
}

void
weir_seg_options_read(const struct weir_seg *seg, struct weir_tcp_options *out)
{
	uint8_t scratch[40];
	const uint8_t *p = weir_chain_read(seg->buf, seg->opt_off, seg->opt_len, scratch);

	weir_tcp_options_read(p, p == NULL ? 0 : seg->opt_len, out);
}

static void
read_other_options(struct weir_parse *parse, const uint8_t *options, struct weir_seg *seg)
{
	struct weir_tcp_options read;

	weir_tcp_options_read(options, seg->opt_len, &read);
	parse->options_malformed += read.malformed;
	seg->shape = WEIR_OPT_OTHER;
	seg->has_ts = read.has_ts;
	seg->tsval = read.tsval;
}

void
weir_parse_options(struct weir_parse *parse, const uint8_t *options, struct weir_seg *seg)
{
	seg->tsval = 0;
	seg->has_ts = 0;
	seg->shape = WEIR_OPT_NONE;
	if (seg->opt_len == WEIR_TS_BYTES && weir_load_be32(options) == WEIR_TS_WORD) {
		seg->shape = WEIR_OPT_TS;
		seg->has_ts = 1;
		seg->tsval = weir_load_be32(options + 4);
	} else if (seg->opt_len != 0) {
		read_other_options(parse, options, seg);
	}
}
