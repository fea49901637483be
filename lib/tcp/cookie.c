/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/cookie.h"

#include "tcp/tcp.h"
#include "wire/siphash.h"

#define NS_PER_KEY (WEIR_COOKIE_KEY_MS * 1000000ull)

/* Low bits of the sequence number. */
#define PERIOD_BITS 1
#define MSS_BITS    3
#define LOW_BITS    (PERIOD_BITS + MSS_BITS)

/* Low bits of TSval. */
#define SCALE_MASK 0x0fu
#define NO_SCALE   0x0fu /* a scale is at most 14 */
#define SACK_BIT   0x10u
#define ECN_BIT    0x20u
#define TS_MASK    0x3fu
#define CARRIED	   (WEIR_FLOW_TS | WEIR_FLOW_SACK | WEIR_FLOW_WS | WEIR_FLOW_ECN | WEIR_FLOW_IP6)

static const uint16_t mss_table[1 << MSS_BITS] = {64, 536, 1220, 1360, 1440, 1460, 4016, 8940};

static void
draw_key(struct weir_cookie_keys *keys, uint64_t period)
{
	const uint64_t words[2][2] = {{period, 0}, {period, 1}};

	for (uint32_t i = 0; i < 2; i++)
		keys->key[period & 1][i] = weir_siphash(keys->secret, words[i], sizeof(words[i]));
}

void
weir_cookie_open(struct weir_cookie_keys *keys, const uint64_t secret[2], uint64_t now_ns)
{
	keys->secret[0] = secret[0];
	keys->secret[1] = secret[1];
	keys->period = now_ns / NS_PER_KEY;
	draw_key(keys, keys->period);
	draw_key(keys, keys->period - 1);
}

static inline void
rotate(struct weir_cookie_keys *keys, uint64_t now_ns)
{
	uint64_t period = now_ns / NS_PER_KEY;

	if (period == keys->period)
		return;
	draw_key(keys, period);
	if (period != keys->period + 1)
		draw_key(keys, period - 1);
	keys->period = period;
}

/* Everything that the ACK must bring back unchanged. Of an IPv4 key the constant front is left out;
 * the lengths tell the families apart. Word by word: what was just written in pieces of another size
 * would be waited for. */
static uint64_t
seal(const uint64_t key[2], const struct weir_syn *syn, uint32_t mss)
{
	const struct weir_key4 *low = &syn->key.low;
	const uint32_t *high = syn->key.raddr_high;
	uint32_t agreed = syn->opts | (uint32_t)syn->snd_wscale << 8 | mss << 16;
	const uint64_t words[5] = {
		low->raddr | (uint64_t)low->laddr << 32,
		low->rport | (uint32_t)low->lport << 16 | (uint64_t)low->vlan << 32,
		syn->irs | (uint64_t)agreed << 32,
		high[0] | (uint64_t)high[1] << 32,
		high[2],
	};

	return weir_siphash(key, words, weir_key_is4(&syn->key) ? 24 : sizeof(words));
}

static uint32_t
mss_index(uint16_t mss)
{
	uint32_t i = (1 << MSS_BITS) - 1;

	while (i != 0 && mss_table[i] > mss)
		i--;
	return i;
}

static uint32_t
options_of(const struct weir_syn *syn)
{
	return (syn->opts & WEIR_FLOW_WS ? syn->snd_wscale : NO_SCALE) |
	       (syn->opts & WEIR_FLOW_SACK ? SACK_BIT : 0) |
	       (syn->opts & WEIR_FLOW_ECN ? ECN_BIT : 0);
}

static void
take_options(struct weir_syn *syn, uint32_t bits)
{
	syn->opts |= WEIR_FLOW_TS;
	if ((bits & SCALE_MASK) != NO_SCALE) {
		syn->opts |= WEIR_FLOW_WS;
		syn->snd_wscale = bits & SCALE_MASK;
	}
	if (bits & SACK_BIT)
		syn->opts |= WEIR_FLOW_SACK;
	if (bits & ECN_BIT)
		syn->opts |= WEIR_FLOW_ECN;
}

uint32_t
weir_cookie_bake(struct weir_cookie_keys *keys, uint64_t now_ns, struct weir_syn *syn)
{
	uint32_t mss = mss_index(syn->mss), now, tsval;
	uint64_t hash;

	rotate(keys, now_ns);
	syn->opts &= syn->opts & WEIR_FLOW_TS ? CARRIED : WEIR_FLOW_IP6;
	if (!(syn->opts & WEIR_FLOW_WS))
		syn->snd_wscale = syn->rcv_wscale = 0;
	hash = seal(keys->key[keys->period & 1], syn, mss);
	syn->mss = mss_table[mss];
	syn->iss = (uint32_t)hash << LOW_BITS | mss << PERIOD_BITS | (uint32_t)(keys->period & 1);
	syn->ts_offset = (uint32_t)(hash >> 32);
	now = (uint32_t)(now_ns / 1000000) + syn->ts_offset;
	tsval = (now & ~TS_MASK) | options_of(syn);
	return tsval - ((now & TS_MASK) < (tsval & TS_MASK) ? TS_MASK + 1 : 0); /* never of the future */
}

bool
weir_cookie_taste(struct weir_cookie_keys *keys, uint64_t now_ns, bool has_ts, uint32_t tsecr,
		  struct weir_syn *syn)
{
	uint32_t mss = syn->iss >> PERIOD_BITS & ((1 << MSS_BITS) - 1);
	uint64_t hash;

	rotate(keys, now_ns);
	syn->mss = mss_table[mss];
	syn->opts &= WEIR_FLOW_IP6;
	syn->snd_wscale = 0;
	if (has_ts)
		take_options(syn, tsecr & TS_MASK);
	hash = seal(keys->key[syn->iss & 1], syn, mss);
	syn->ts_offset = (uint32_t)(hash >> 32);
	return (uint32_t)hash << LOW_BITS >> LOW_BITS == syn->iss >> LOW_BITS;
}
