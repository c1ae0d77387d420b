# apply.awk - reads lists of mutants (HACKING has an example of one) and writes,
# for the n-th of them, below the directory out: n.name, n.tests, n.file, and
# n.c, the source below top as it is after the change; or n.stale, what is wrong
# with the change.  Of those only whose name has the text only.

# A pattern that finds the text, however it is broken into lines.
function pattern(text,    p, i, c)
{
	gsub(/[ \t\n]+/, " ", text)
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == " ")
			p = p "[ \t\n]+"
		else if (c ~ /[A-Za-z0-9_]/)
			p = p c
		else
			p = p (c == "^" || c == "\\" ? "\\" c : "[" c "]")
	}
	return p
}

function content(file,    line, text)
{
	if (file in contents)
		return contents[file]
	while ((getline line <(top "/" file)) > 0)
		text = text line "\n"
	close(top "/" file)
	return contents[file] = text
}

function put(what, text)
{
	printf "%s", text >(out "/" n "." what)
	close(out "/" n "." what)
}

# Writes the source with the change, or why there is none.
function apply(    text, p)
{
	text = content(file)
	p = pattern(from)
	if (from == "" || from == to)
		return "it changes nothing"
	if (!match(text, p))
		return "the source has no \"" from "\" any more"
	if (match(substr(text, RSTART + 1), p))
		return "the source has \"" from "\" more than once"
	match(text, p)
	put("c", substr(text, 1, RSTART - 1) to substr(text, RSTART + RLENGTH))
	return ""
}

function finish(    why)
{
	if (name == "" || !index(file ": " name " (" where ")", only)) {
		name = from = to = ""
		return
	}
	n++
	why = tests == "" ? "no test is named" : apply()
	put("name", file ": " name " (" where ")")
	put("tests", tests "\n")
	put("file", file "\n")
	if (why != "")
		put("stale", why "\n")
	name = from = to = ""
}

/^#/ { next }
/^$/ { finish(); next }
/^file / { finish(); file = $2; tests = ""; next }
/^by / { finish(); tests = substr($0, 4); next }
/^- / { from = from (from == "" ? "" : "\n") substr($0, 3); next }
/^[+]/ { to = to (to == "" ? "" : "\n") substr($0, 3); next }
{
	finish()
	name = $0
	where = FILENAME
	sub(/.*\//, "", where)
	where = where ":" FNR
}
END { finish() }
