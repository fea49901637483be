# SPDX-License-Identifier: BSD-3-Clause
# What weir-bench --json printed, one row a line and its fields parted by tabs:
#   case row flows run set unit value ratio must aim spread valid
# A row that comes again replaces the earlier one only where the reader does so.

function field(key,    text)
{
	if (!match($0, "\"" key "\":(\"[^\"]*\"|[^,}]*)"))
		return ""
	text = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	gsub(/"/, "", text)
	return text
}

/^\{"case":/ {
	n = split("case row flows run set unit value ratio must aim spread valid", keys, " ")
	line = ""
	for (i = 1; i <= n; i++)
		line = line (i > 1 ? "\t" : "") field(keys[i])
	print line
}
