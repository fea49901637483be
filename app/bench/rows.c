/* SPDX-License-Identifier: BSD-3-Clause */
#include "rows.h"

#include <math.h>

bool
row_passes(const struct row *row)
{
	if (row->target == ROW_SHOWN)
		return true;
	if (row->void_why != NULL)
		return false;
	return row->target == ROW_AT_MOST ? row->ratio <= row->must : row->ratio >= row->must;
}

/* JSON knows no infinity and no NaN. */
static void
write_number(FILE *to, const char *key, double value)
{
	fprintf(to, ",\"%s\":%.6g", key, isfinite(value) ? value : 0.0);
}

static void
write_ratio(FILE *to, const struct row *row)
{
	fprintf(to, ",\"against\":\"%s\"", row->against);
	write_number(to, "ratio", row->ratio);
	if (row->target == ROW_SHOWN)
		return;
	write_number(to, "must", row->must);
	write_number(to, "aim", row->aim);
	fprintf(to, ",\"pass\":%s", row_passes(row) ? "true" : "false");
}

void
row_write_json(FILE *to, const struct row *row)
{
	fprintf(to, "{\"case\":\"%s\",\"row\":\"%s\",\"flows\":%u,\"run\":%u,\"set\":\"%s\"",
		row->in_case, row->name, row->flows, row->run, row->set);
	write_number(to, "value", row->value);
	fprintf(to, ",\"unit\":\"%s\"", row->unit);
	if (row->against != NULL)
		write_ratio(to, row);
	write_number(to, "spread", row->spread);
	fprintf(to, ",\"valid\":%s", row->void_why == NULL ? "true" : "false");
	if (row->lockstep)
		fputs(",\"lockstep\":true", to);
	if (row->in_short)
		fputs(",\"short\":true", to);
	if (row->headroom != 0)
		write_number(to, "headroom", row->headroom);
	if (row->void_why != NULL)
		fprintf(to, ",\"void\":\"%s\"", row->void_why);
	fputs("}\n", to);
}

void
row_write_heading(FILE *to, const char *in_case, const char *about)
{
	fprintf(to, "\n%s: %s\n", in_case, about);
	fprintf(to, "  %-26s %8s %4s %-6s %10s %-15s %7s  %s\n", "row", "flows", "run", "set",
		"value", "unit", "spread", "ratio");
}

static void
write_target(FILE *to, const struct row *row)
{
	fprintf(to, "  %.3f of %s", row->ratio, row->against);
	if (row->target != ROW_SHOWN)
		fprintf(to, ", must %s %g, aim %g: %s",
			row->target == ROW_AT_MOST ? "<=" : ">=", row->must, row->aim,
			row_passes(row) ? "ok" : "MISSED");
}

void
row_write_line(FILE *to, const struct row *row)
{
	fprintf(to, "  %-26s %8u %4u %-6s %10.4g %-15s %6.1f%%", row->name, row->flows, row->run,
		row->set, row->value, row->unit, row->spread * 100);
	if (row->against != NULL)
		write_target(to, row);
	if (row->void_why != NULL)
		fprintf(to, "  VOID: %s", row->void_why);
	fputc('\n', to);
}
