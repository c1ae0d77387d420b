#!/bin/sh
# sizes.sh - files stay under 500 lines, functions under 60.
. "$(dirname "$0")/lib.sh"

# All scripts of Python.
scripts()
{
	if [ -d "$1/bench" ]; then
		(cd "$1" && find bench \( -name '*.py' -o -name run \) -print)
	fi
}

files_long()
{
	{
		sources "$1" src modules tests bench
		scripts "$1"
	} | while read -r file; do
		lines=$(wc -l <"$1/$file")
		[ "$lines" -le 500 ] || printf '%s: %d lines\n' "$file" "$lines"
	done
}

functions_long()
{
	sources "$1" src modules tests bench | while read -r file; do
		awk -v file="$file" '
			/^\{/ { open = NR }
			/^\}/ && open {
				if (NR - open > 60)
					print file ":" open ": " NR - open " lines"
				open = 0
			}' "$1/$file"
	done
}

# A function of Python ends with the next line that is not further right.
scripts_long()
{
	scripts "$1" | while read -r file; do
		awk -v file="$file" '
			function place() { match($0, /[^ ]/); return RSTART }
			function end(at) {
				if (open && at - open > 60)
					print file ":" open ": " at - open " lines"
				open = 0
			}
			/^$/ { next }
			open && place() <= column { end(last) }
			/^ *def / && !open { open = NR; column = place() }
			{ last = NR }
			END { end(last) }' "$1/$file"
	done
}

mkdir "$scratch/src" "$scratch/bench"
awk 'BEGIN { for (i = 0; i < 501; i++) print "" }' >"$scratch/src/a.c"
some 'a file of 501 lines is found' "$(files_long "$scratch")"
awk 'BEGIN { print "void\nf(void)\n{"; for (i = 0; i < 60; i++) print ";"
	print "}" }' >"$scratch/src/a.c"
some 'a function of 61 lines is found' "$(functions_long "$scratch")"
awk 'BEGIN { print "def f():"; for (i = 0; i < 61; i++) print "    pass"
	print "x = 1" }' >"$scratch/bench/a.py"
some 'one of Python is found' "$(scripts_long "$scratch")"

none 'no file is over 500 lines' "$(files_long "$srcdir")"
none 'no function is over 60 lines' "$(functions_long "$srcdir")"
none 'no function of Python is' "$(scripts_long "$srcdir")"
finish
