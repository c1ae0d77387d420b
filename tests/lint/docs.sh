#!/bin/sh
# docs.sh - the manuals say everything that there is, and what they show works.
. "$(dirname "$0")/lib.sh"

# A page of the build as plain text.
page()
{
	mandoc -T ascii "$builddir/man/$1" 2>/dev/null |
		sed "s/.$(printf '\b')//g"
}

# Writes the words of stdin that file $1 does not have.
absent()
{
	while read -r word; do
		grep -qwF -e "$word" "$1" || printf '%s is missing\n' "$word"
	done
}

# All keys of option rows below directories $2... of $1.
keys()
{
	top=$1
	shift
	sources "$top" "$@" | while read -r file; do
		sed -n 's/.*[^A-Z_]WEIR_[A-Z]*("\([a-z_]*\)",.*/\1/p' \
			"$top/$file"
	done | sort -u
}

# All names of the api in $1 that modules may use: functions, callbacks and
# members of what they publish, reasons and other constants.
api()
{
	cat "$1"/src/api/*.h | tr '\n' ' ' |
		grep -oE '(weir_[a-z_]+|\(\*[a-z]+\))\(' | tr -d '(*)'
	sed -n '/^struct weir_middleware {/,/^}/p' "$1/src/api/middleware.h" |
		sed -n 's/^	.*[ *]\([a-z_]*\);.*/\1/p'
	grep -ohE 'WEIR_(PREREAD|OPTIONAL|OFF|NEEDS_START|OPT_END)' \
		"$1"/src/api/*.h
	sed -n 's/^#define \(WEIR_[A-Z]*\)(k, S, f, .*/\1/p' \
		"$1/src/api/option.h"
	sed -n 's/^WEIR_REASON([A-Z_]*, "\([a-z_]*\)".*/\1/p' \
		"$1/src/api/reason.def"
}

# Lines of sample $2 that page $1 does not have; blanks do not count.
lines_absent()
{
	tr -d ' \t' <"$1" >"$scratch/page"
	tr -d ' \t' <"$2" | grep . | while read -r line; do
		grep -qF -e "$line" "$scratch/page" || printf '%s\n' "$line"
	done
}

# Writes what mandoc has against page $1, but not that pages of weir are not
# installed here, nor how long the lines of the program's part are.
mandoc_findings()
{
	mandoc -T lint -W style "$1" 2>&1 |
		grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' \
			-e 'line longer than 80 bytes'
}

# Cuts the configurations out of file $1: indented blocks that start with a
# setting.  They become $scratch/$2.1.conf and so on.
examples()
{
	awk -v stem="$scratch/$2" '
		/^ +(process|log|extensions|servers) = / && !open {
			open = 1
			file = stem "." ++n ".conf"
		}
		/^ *$/ { open = 0 }
		open { print > file }' "$1"
}

# Loads each configuration, writes what weir has against it.
refused()
{
	for conf; do
		[ -s "$conf" ] || printf 'there is no example (%s)\n' "$conf"
		"$WEIR" -t -q -c "$conf" 2>&1 || printf 'exit %d\n' "$?"
	done
}

page weir.8 >"$scratch/weir.8"
page weir.conf.5 >"$scratch/weir.conf.5"
page weir-module.7 >"$scratch/weir-module.7"
page weirctl.1 >"$scratch/weirctl.1"
page weir-api.7 >"$scratch/weir-api.7"
"$WEIR" -h >"$scratch/help"

echo no_such_key | absent "$scratch/weir.conf.5" >"$scratch/found"
some 'a key that the manual lacks is found' "$(cat "$scratch/found")"
printf '.Dd x\n.Sh A\n.Bl\n' >"$scratch/bad.8"
some 'a broken page is found' "$(mandoc_findings "$scratch/bad.8")"
printf '    servers = (\n      { name = "a"; lisen = 1; } );\n' |
	tee "$scratch/bad" >/dev/null
examples "$scratch/bad" bad
some 'an example that does not load is found' \
	"$(refused "$scratch"/bad.*.conf)"

keys "$srcdir" src/conf modules >"$scratch/keys"
some 'there are option rows' "$(cat "$scratch/keys")"
none 'weir.conf(5) has every option' \
	"$(absent "$scratch/weir.conf.5" <"$scratch/keys")"
none 'weir.conf(5) has every middleware' "$(
	cut -d'#' -f1 "$srcdir/modules/modules.list" | grep . |
		absent "$scratch/weir.conf.5")"
sed -n 's/^  \(--*[A-Za-z-]*\) .*/\1/p' "$scratch/help" >"$scratch/options"
some 'weir -h lists options' "$(cat "$scratch/options")"
none 'weir(8) has every option' \
	"$(absent "$scratch/weir.8" <"$scratch/options")"
sed -n -e '/not built/d' -e '/^SIGNAL/,$ s/^  \([a-z]*\) .*/\1/p' \
	"$scratch/help" >"$scratch/words"
some 'weir -h lists signals' "$(cat "$scratch/words")"
none 'weir(8) has every word of -s' \
	"$(absent "$scratch/weir.8" <"$scratch/words")"
none 'README has every word of -s' \
	"$(absent "$srcdir/README" <"$scratch/words")"

"$WEIRCTL" -h >"$scratch/help"
sed -n 's/^  \([a-z]*\) .*/\1/p' "$scratch/help" >"$scratch/commands"
some 'weirctl -h lists commands' "$(grep -x generations "$scratch/commands")"
none 'weirctl(1) has every command' \
	"$(absent "$scratch/weirctl.1" <"$scratch/commands")"
while read -r command; do
	"$WEIRCTL" help "$command"
done <"$scratch/commands" | cat - "$scratch/help" |
	grep -oE '^  (-., )?--[a-z-]+' | tr -d ' ,' | grep -oE -e '--[a-z-]+' |
	sort -u >"$scratch/options"
some 'weirctl help COMMAND lists options' \
	"$(grep -x -e --min-idle "$scratch/options")"
none 'weirctl(1) has every option' \
	"$(absent "$scratch/weirctl.1" <"$scratch/options")"

api "$srcdir" | sort -u >"$scratch/api"
some 'there is an api' "$(grep -x weir_ticket "$scratch/api")"
none 'weir-module(7) has all of it' \
	"$(absent "$scratch/weir-module.7" <"$scratch/api")"
for sample in modules/middleware/preface.c modules/middleware/select.c \
	tests/module/template/bang.c tests/module/template/test_bang.c \
	tests/unit/test_lag.c; do
	none "weir-module(7) has every line of $sample" \
		"$(lines_absent "$scratch/weir-module.7" "$srcdir/$sample")"
done
echo 'no such line' >"$scratch/sample.c"
some 'a line that the manual lacks is found' \
	"$(lines_absent "$scratch/weir-module.7" "$scratch/sample.c")"
mkdir -p "$scratch/top"
printf '/* one */\nint x;\n' >"$scratch/top/sample.c"
printf '@SAMPLE sample.c\n@TO int y\nSo.\n' >"$scratch/module.7.in"
some 'a sample that the manual does not fit any more ends the build' "$(
	awk -v top="$scratch/top" -f "$srcdir/man/module.awk" \
		"$scratch/module.7.in" 2>&1 >"$scratch/found")"
printf '@SAMPLE sample.c\n@TO one\nSo.\n' >"$scratch/module.7.in"
some 'and so does a sample that is not explained to its end' "$(
	awk -v top="$scratch/top" -f "$srcdir/man/module.awk" \
		"$scratch/module.7.in" 2>&1 >"$scratch/found")"

"$WEIR" --modules >"$scratch/modules"
some 'weir --modules tells callbacks' \
	"$(grep '^    callbacks: .*up' "$scratch/modules")"
sed -n '/^struct weir_middleware {/,/^}/s/.*(\*\([a-z]*\))(.*/X(\1)/p' \
	"$srcdir/src/api/middleware.h" >"$scratch/callbacks"
some 'there are callbacks' "$(cat "$scratch/callbacks")"
none 'weir --modules knows all of them' "$(
	absent "$srcdir/src/conf/describe.c" <"$scratch/callbacks")"

none 'weir(8) is good mdoc' "$(mandoc_findings "$builddir/man/weir.8")"
none 'weir.conf(5) is good mdoc' \
	"$(mandoc_findings "$builddir/man/weir.conf.5")"

none 'weir-module(7) is good mdoc' \
	"$(mandoc_findings "$builddir/man/weir-module.7")"
none 'weir-api(7) is good mdoc' \
	"$(mandoc_findings "$builddir/man/weir-api.7")"
sed -n '/^const struct route/,/^}/s/.*{ [A-Z]*, "\([^"]*\)".*/\1/p' \
	"$srcdir/src/keeper/routes.c" | sed 's,/v1/\([a-z]*\).*,\1,' | sort -u \
	>"$scratch/pages"
some 'the API has pages' "$(grep -x channels "$scratch/pages")"
none 'weir-api(7) has all of them' \
	"$(absent "$scratch/weir-api.7" <"$scratch/pages")"
sed -n '/^const struct route/,/^}/s/.*"\([a-z_ ]*\)".*/\1/p' \
	"$srcdir/src/keeper/routes.c" | tr ' ' '\n' | grep . >"$scratch/params"
some 'pages have parameters' "$(grep -x rate_ms "$scratch/params")"
none 'weir-api(7) has all of those' \
	"$(absent "$scratch/weir-api.7" <"$scratch/params")"
none 'weirctl(1) is good mdoc' "$(mandoc_findings "$builddir/man/weirctl.1")"

examples "$srcdir/README" readme
none 'the example of README loads' "$(refused "$scratch"/readme.*.conf)"
examples "$scratch/weir.8" weir8
none 'the examples of weir(8) load' "$(refused "$scratch"/weir8.*.conf)"
examples "$scratch/weir.conf.5" weir5
none 'the examples of weir.conf(5) load' "$(refused "$scratch"/weir5.*.conf)"
examples "$scratch/weir-module.7" weir7
none 'the example of weir-module(7) loads' "$(refused "$scratch"/weir7.*.conf)"
none 'etc/weir.conf loads' "$(refused "$srcdir/etc/weir.conf")"
none 'etc/demo.conf loads' "$(refused "$srcdir/etc/demo.conf")"
finish
