/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest.h"

#include "digest_fold.h"

#define LONG_LANE  480	       /* three of them are all but eight bytes of 1448 */
#define SHORT_LANE 64

/* What `lane` zero bytes do to a CRC, by each of its four bytes. */
struct shift {
	uint32_t of[4][256];
};

static struct shift long_shift, short_shift;
static bool folds; /* this processor can, and it shall */

/* CRC of `crc` followed by `n` zero bytes, bit by bit. */
static uint32_t
append_zeros(uint32_t crc, size_t n)
{
	for (size_t i = 0; i < 8 * n; i++)
		crc = crc >> 1 ^ (crc & 1 ? DIGEST_POLYNOMIAL : 0);
	return crc;
}

static void
shift_init(struct shift *shift, size_t lane)
{
	for (uint32_t byte = 0; byte < 4; byte++)
		for (uint32_t value = 0; value < 256; value++)
			shift->of[byte][value] = append_zeros(value << 8 * byte, lane);
}

void
digest_init(bool lanes_only)
{
	shift_init(&long_shift, LONG_LANE);
	shift_init(&short_shift, SHORT_LANE);
	folds = digest_fold_init() && !lanes_only;
}

static inline uint32_t
shifted(const struct shift *shift, uint32_t crc)
{
	return shift->of[0][crc & 255] ^ shift->of[1][crc >> 8 & 255] ^
	       shift->of[2][crc >> 16 & 255] ^ shift->of[3][crc >> 24];
}

static inline uint32_t
three_lanes(uint32_t crc, uint8_t *to, const uint8_t *data, size_t lane, const struct shift *shift)
{
	uint64_t a = crc, b = 0, c = 0;

	for (size_t i = 0; i < lane; i += 8) {
		a = digest_step(a, to == NULL ? NULL : to + i, data + i);
		b = digest_step(b, to == NULL ? NULL : to + lane + i, data + lane + i);
		c = digest_step(c, to == NULL ? NULL : to + 2 * lane + i, data + 2 * lane + i);
	}
	return shifted(shift, shifted(shift, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

static inline uint32_t
lanes(uint32_t crc, uint8_t *to, const uint8_t *data, size_t len)
{
	for (; len >= 3 * LONG_LANE; len -= 3 * LONG_LANE, data += 3 * LONG_LANE) {
		crc = three_lanes(crc, to, data, LONG_LANE, &long_shift);
		to = to == NULL ? NULL : to + 3 * LONG_LANE;
	}
	for (; len >= 3 * SHORT_LANE; len -= 3 * SHORT_LANE, data += 3 * SHORT_LANE) {
		crc = three_lanes(crc, to, data, SHORT_LANE, &short_shift);
		to = to == NULL ? NULL : to + 3 * SHORT_LANE;
	}
	return digest_rest(crc, to, data, len);
}

uint32_t
digest_crc32c_lanes(uint32_t crc, const void *data, size_t len)
{
	return ~lanes(~crc, NULL, data, len);
}

/* By folding as long as it pays, where it can be done. */
static inline uint32_t
digest(uint32_t crc, uint8_t *to, const uint8_t *data, size_t len)
{
	crc = ~crc;
	while (folds && len >= DIGEST_FOLD_LEAST) {
		size_t n = len < DIGEST_FOLD_MOST ? len : DIGEST_FOLD_MOST;

		crc = digest_fold(crc, to, data, n);
		to = to == NULL ? NULL : to + n;
		data += n;
		len -= n;
	}
	return ~lanes(crc, to, data, len);
}

uint32_t
digest_crc32c(uint32_t crc, const void *data, size_t len)
{
	return digest(crc, NULL, data, len);
}

uint32_t
digest_copy_crc32c(uint32_t crc, void *to, const void *data, size_t len)
{
	return digest(crc, to, data, len);
}
