/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "wire/drop.h"

static const char *const drop_names[WEIR_DROP_COUNT] = {
#define DROP(id, name, text) [WEIR_DROP_##id] = name,
#include "wire/drop.def"
#undef DROP
};

static const char *const drop_texts[WEIR_DROP_COUNT] = {
#define DROP(id, name, text) [WEIR_DROP_##id] = text,
#include "wire/drop.def"
#undef DROP
};

const char *
weir_drop_name(unsigned int reason)
{
	return reason < WEIR_DROP_COUNT ? drop_names[reason] : NULL;
}

const char *
weir_drop_text(unsigned int reason)
{
	return reason < WEIR_DROP_COUNT ? drop_texts[reason] : NULL;
}
