# SPDX-License-Identifier: BSD-3-Clause
# Fills the cells of a template from rows (see rows.awk), which are read first. A cell is
#   @{case|row|flows|run|set|unit}            its value
#   @{case|row|flows|run|set|unit#ratio}      its ratio
#   @{CELL // CELL}                           the one divided by the other
# A row that is not there is named on standard error and makes the status 1; one that is void is
# marked.

BEGIN { FS = "\t" }

FILENAME == rows {
	key = $1 "|" $2 "|" $3 "|" $4 "|" $5 "|" $6
	value[key] = $7
	value[key "#ratio"] = $8
	void[key] = void[key "#ratio"] = $12 != "true"
	next
}

function figure(cell,    over)
{
	over = index(cell, " // ")
	if (over)
		return divided(figure(substr(cell, 1, over - 1)), figure(substr(cell, over + 4)))
	if (!(cell in value) || value[cell] == "") {
		print "absent: " cell >"/dev/stderr"
		absent = 1
		return 0
	}
	if (void[cell])
		marked = " (void)"
	return value[cell] + 0
}

function divided(a, b)
{
	return b == 0 ? 0 : a / b
}

# Three digits, as far as they say something.
function rounded(x)
{
	if (x >= 100 || x == int(x))
		return sprintf("%d", x + 0.5)
	if (x >= 10)
		return sprintf("%.1f", x)
	return sprintf(x >= 1 ? "%.2f" : "%.3f", x)
}

{
	rest = $0
	line = ""
	while ((at = index(rest, "@{")) > 0) {
		line = line substr(rest, 1, at - 1)
		rest = substr(rest, at + 2)
		end = index(rest, "}")
		marked = ""
		text = rounded(figure(substr(rest, 1, end - 1)))
		line = line text marked
		rest = substr(rest, end + 1)
	}
	print line rest
}

END { exit absent }
