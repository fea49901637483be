# SPDX-License-Identifier: BSD-3-Clause
# Flattens the last line of input that is a JSON object: "path value" per line, path elements joined
# by dots, array elements by index from 0. Enough for one object on one line; no tool to install.

/^[ \t]*\{/ { text = $0 }

# Tokens are cut from the left of `rest`; it is refilled in pieces, since cutting a long string anew
# for each token takes quadratic time.
function refill()
{
	if (length(rest) < 512 && at <= length(text)) {
		rest = rest substr(text, at, 4096)
		at += 4096
	}
}

function token(    t)
{
	refill()
	sub(/^[ \t\r]+/, "", rest)
	if (match(rest, /^"([^"\\]|\\.)*"/) || match(rest, /^[][{}:,]/) ||
	    match(rest, /^[-+.0-9a-zA-Z]+/)) {
		t = substr(rest, 1, RLENGTH)
		rest = substr(rest, RLENGTH + 1)
		return t
	}
	return ""
}

function plain(t)
{
	return t ~ /^"/ ? substr(t, 2, length(t) - 2) : t
}

function value(path, t,    key, n, sep)
{
	if (t == "{") {
		t = token()
		while (t != "}" && t != "") {
			key = plain(t)
			token()
			value(path == "" ? key : path "." key, token())
			t = token()
			if (t == ",")
				t = token()
		}
	} else if (t == "[") {
		n = 0
		t = token()
		while (t != "]" && t != "") {
			value(path "." n++, t)
			t = token()
			if (t == ",")
				t = token()
		}
	} else {
		print path, plain(t)
	}
}

END {
	at = 1
	if (text != "")
		value("", token())
}
