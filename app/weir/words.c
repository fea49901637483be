/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "app/cli/value.h"

#define FLUSH_POLLS_MAX 1024
#define FLUSH_US_MAX	10000
#define BUFFER_MIN	4096
#define BUFFER_MAX	(UINT64_C(1) << 30)
#define NUMBER		32 /* characters of one half of a range */

static int
words_sink(const char *text, const char *sink, struct listen_option *listener, char *error)
{
	listener->kind = SINK_DISCARD;
	listener->dir = NULL;
	if (sink == NULL || strcmp(sink, "discard") == 0)
		return 0;
	if (strcmp(sink, "verify") == 0) {
		listener->kind = SINK_VERIFY;
		return 0;
	}
	if (strncmp(sink, "file=", 5) != 0)
		return options_refuse(
		    error, "'%s': no sink is called '%s': give discard, verify or file=DIR", text,
		    sink);
	if (sink[5] == '\0')
		return options_refuse(error, "'%s' names no directory: give file=DIR", text);
	listener->kind = SINK_FILE;
	listener->dir = sink + 5;
	return 0;
}

int
words_listen(const char *text, struct listen_option *listener, char *error)
{
	const char *rest = text;
	uint64_t port = 0;

	if (value_digits(&rest, &port) != 0 || (*rest != '\0' && *rest != ':'))
		return options_refuse(error,
				      "'%s' is not PORT[:SINK]: give one port, such as 9000 or "
				      "9001:file=/dir, and another by --listen again",
				      text);
	if (port < 1 || port > 65535)
		return options_refuse(error, "'%s': the port is out of range: give 1 to 65535",
				      text);
	listener->port = (uint16_t)port;
	return words_sink(text, *rest == ':' ? rest + 1 : NULL, listener, error);
}

static int
flush_number(const char *text, uint64_t high, uint32_t *value, char *error)
{
	uint64_t number;

	if (value_number(strchr(text, '=') + 1, 1, high, &number, error) != 0)
		return options_refuse(error, "'%s' is wrong: give %.*s=1 to %.*s=%" PRIu64, text,
				      (int)strcspn(text, "="), text, (int)strcspn(text, "="), text,
				      high);
	*value = (uint32_t)number;
	return 0;
}

int
words_flush(const char *text, uint32_t *flush, uint32_t *value, char *error)
{
	*value = 0;
	if (strcmp(text, "now") == 0) {
		*flush = WEIR_FLUSH_NOW;
		return 0;
	}
	if (strcmp(text, "adaptive") == 0) {
		*flush = WEIR_FLUSH_ADAPTIVE;
		return 0;
	}
	if (strncmp(text, "polls=", 6) == 0) {
		*flush = WEIR_FLUSH_POLLS;
		return flush_number(text, FLUSH_POLLS_MAX, value, error);
	}
	if (strncmp(text, "us=", 3) == 0) {
		*flush = WEIR_FLUSH_US;
		return flush_number(text, FLUSH_US_MAX, value, error);
	}
	return options_refuse(error, "'%s' is no flush mode: give now, polls=N, us=N or adaptive",
			      text);
}

static int
buffer_bytes(const char *text, uint32_t *bytes, char *error)
{
	uint64_t number;

	if (value_bytes(text, BUFFER_MIN, BUFFER_MAX, &number, error) != 0)
		return -1;
	*bytes = (uint32_t)number;
	return 0;
}

int
words_receive_buffer(const char *text, struct receive_buffer_option *buffer, char *error)
{
	size_t len = strcspn(text, "-");
	char least[NUMBER];

	if (len == 0 || text[len] == '\0') {
		if (buffer_bytes(text, &buffer->least, error) != 0)
			return -1;
		buffer->most = buffer->least;
		return 0;
	}
	if (len >= sizeof(least))
		return options_refuse(error, "'%.64s' is no range: give MIN-MAX, such as 64K-4M",
				      text);
	memcpy(least, text, len);
	least[len] = '\0';
	if (buffer_bytes(least, &buffer->least, error) != 0 ||
	    buffer_bytes(text + len + 1, &buffer->most, error) != 0)
		return -1;
	if (buffer->least > buffer->most)
		return options_refuse(error,
				      "'%s' ends below where it begins: give MIN-MAX, such as 64K-4M",
				      text);
	return 0;
}
