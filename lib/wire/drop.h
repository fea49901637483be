/* SPDX-License-Identifier: BSD-3-Clause */
/* Drop reasons: enum, names and sentences, all made from drop.def. */
#ifndef WEIR_WIRE_DROP_H
#define WEIR_WIRE_DROP_H

enum weir_drop {
#define DROP(id, name, text) WEIR_DROP_##id,
#include "wire/drop.def"
#undef DROP
	WEIR_DROP_COUNT
};

/* Name as used in counters, and sentence for a person. Any thread. NULL when out of range. */
const char *weir_drop_name(unsigned int reason);
const char *weir_drop_text(unsigned int reason);

#endif
