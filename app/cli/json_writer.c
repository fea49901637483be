/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/json_writer.h"

#include <inttypes.h>
#include <string.h>

void
json_key(struct json *json, const char *name)
{
	fprintf(json->to, "%s\"%s\":", json->comma ? "," : "", name);
	json->comma = true;
}

void
json_number(struct json *json, const char *name, uint64_t value)
{
	json_key(json, name);
	fprintf(json->to, "%" PRIu64, value);
}

void
json_ratio(struct json *json, const char *name, double above, double below)
{
	json_key(json, name);
	fprintf(json->to, "%.4f", below > 0 ? above / below : 0.0);
}

void
json_seconds(struct json *json, const char *name, double seconds)
{
	json_key(json, name);
	fprintf(json->to, "%.9f", seconds);
}

void
json_boolean(struct json *json, const char *name, bool value)
{
	json_key(json, name);
	fputs(value ? "true" : "false", json->to);
}

void
json_begin(struct json *json, const char *name, char bracket)
{
	if (name != NULL)
		json_key(json, name);
	else if (json->comma)
		fputc(',', json->to);
	fputc(bracket, json->to);
	json->comma = false;
}

void
json_end(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->comma = true;
}

void
json_text(struct json *json, const char *name, const char *value)
{
	json_key(json, name);
	fputc('"', json->to);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			fprintf(json->to, "\\%c", c);
		else if (c < 0x20)
			fprintf(json->to, "\\u%04x", c);
		else
			fputc(c, json->to);
	}
	fputc('"', json->to);
}

void
json_fields(struct json *json, const void *base, const struct json_field *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)base + table[i].offset, sizeof(value));
		json_number(json, table[i].name, value);
	}
}
