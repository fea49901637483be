/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON text, written in one go. */
#ifndef APP_CLI_JSON_WRITER_H
#define APP_CLI_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* It knows whether a comma is due. */
struct json {
	FILE *to;
	bool comma;
};

/* A uint64_t by name and place, so that no counter is written by hand. */
struct json_field {
	const char *name;
	size_t offset;
};

/* The value follows. */
void json_key(struct json *json, const char *name);
void json_number(struct json *json, const char *name, uint64_t value);
/* Four digits behind the point; 0 when `below` is. */
void json_ratio(struct json *json, const char *name, double above, double below);
/* Nine digits behind the point. */
void json_seconds(struct json *json, const char *name, double seconds);
void json_boolean(struct json *json, const char *name, bool value);
void json_text(struct json *json, const char *name, const char *value);
void json_fields(struct json *json, const void *base, const struct json_field *fields, size_t n);

/* An object or array, by its bracket. name NULL: an element of an array. */
void json_begin(struct json *json, const char *name, char bracket);
void json_end(struct json *json, char bracket);

#endif
