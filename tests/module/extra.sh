#!/bin/sh
# extra.sh - a module outside the tree: the template is built and tested by one
# command, its test notices when the module is wrong, and who is wrong about
# --with-extra-modules is told how.
. "$(dirname "$0")/../lint/lib.sh"

# Ours, not that of the make which runs us.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES TESTS

cd "$scratch" || exit 1
cp -r "$srcdir/tests/module/template" mine || exit 1
chmod -R u+w mine

# Nothing is built beside a tree that is built in itself.
source=$srcdir
if [ -e "$srcdir/config.status" ]; then
	mkdir tree
	(cd "$srcdir" && tar -c --exclude=config.status --exclude='*.[oad]' \
		--exclude='*.log' --exclude=.git .) | tar -x -C tree
	source=$scratch/tree
fi
: >started

# Where it is, as seen from mine.
ln -s "$source" source

# The one command, with what it says in file said.
check()
{
	make -j2 -C mine SOURCE=../source >said 2>&1
}

# Writes what is wrong when it is not green.
red()
{
	if check && grep -q 'PASSED.* 2 test' said; then
		return
	fi
	tail -n 20 said
}

# Writes something when the test stays green though the module is changed by
# the words $1 for sed, or not changed at all.
overlooked()
{
	cp mine/bang.c right.c
	sed "$1" right.c >mine/bang.c
	if cmp -s right.c mine/bang.c; then
		echo 'the module is as it was'
	elif check; then
		echo 'its test has not noticed'
	elif ! grep -q 'FAILED' said; then
		tail -n 20 said
	fi
	cp right.c mine/bang.c
}

# Configures again with the arguments; says why that ended, or that it did not.
# Tests of the compiler are not repeated.
configure()
{
	(mkdir -p again && cd again && "$source/configure" -C -q "$@" 2>&1) &&
		echo 'it was taken'
}

# Writes something unless the last words of a configure with the other arguments
# are those of pattern $1.
not_told()
{
	pattern=$1
	shift
	configure "$@" >said
	grep -q "^configure: error: $pattern" said || tail -n 5 said
}

# A directory $1 whose modules.list has the other words.
list_of()
{
	mkdir -p "$1"
	dir=$1
	shift
	printf '%s\n' "$@" >"$dir/modules.list"
}

lines=$(cat mine/*.c | wc -l)
none "the module and its test are short ($lines lines)" \
	"$([ "$lines" -lt 60 ] || echo "$lines lines")"
none 'the template is built, tested and green' "$(red)"
none 'the tree is as it was' "$(find "$source/src" "$source/modules" \
	"$source/m4" "$source/man" -type f -newer started)"

for change in "s/'!'/'?'/" 's/!= .!./== 0/' 's/DENIED/PROTOCOL/' \
	's/^.*WEIR_PREREAD.*$//' 's/weir_detach()/weir_drop(in.len)/' \
	's/weir_close(WEIR_R_DENIED)/weir_drop(in.len)/'; do
	none "its test notices $change" "$(overlooked "$change")"
done
none 'it is green again' "$(red)"

make -j2 -s -C mine/build weir >said 2>&1
none 'weir --modules has it' "$(
	mine/build/weir --modules | grep -q '^bang - Refuses' || cat said)"

# One of two files, found when configure runs again by itself.
mkdir mine/two
sed -e 's/bang/two/' -e 's/static //' -e '/^const/,$d' mine/bang.c \
	>mine/two/up.c
sed -n '/^const/,$p' mine/bang.c | sed -e 's/bang/two/' \
	-e '1s/^/#include "up.h"\n/' >mine/two/two.c
printf '#include "weir.h"\nstruct weir_verdict\ntwo_up(struct weir_call *%s;\n' \
	'c, struct weir_bytes in)' >mine/two/up.h
sed -i 's/"weir.h"/"up.h"/' mine/two/up.c
echo two >>mine/modules.list
make -j2 -s -C mine/build weir >said 2>&1
none 'a module of two files that joins the list is built in' "$(
	mine/build/weir --modules | grep -q '^two - Refuses' || cat said)"
make -s -C mine/build check-extra >said 2>&1
some 'a module without a test is not green' \
	"$(grep '^check-extra: there is no .*/mine/test_two.c$' said)"
sed -i 's/mw_two/mw_too/' mine/two/two.c
make -s -C mine/build weir >said 2>&1
some 'a symbol that is missing is named, and so is its place' "$(
	grep '"two", but there is no const struct .* mw_two in .*two.c' said)"

# An extension is told by what it publishes.
cat >mine/tally.c <<'END'
#include "weir.h"

static const struct weir_column columns[] = {
	{ .name = "n", .type = WEIR_COLUMN_COUNT },
};

static bool
tally_table(const void *conf, unsigned i, struct weir_table_spec *spec)
{
	(void)conf;
	*spec = (struct weir_table_spec){ .columns = columns,
		.ncolumns = 1,
		.key_most = 16,
		.size = 65536 };
	return i == 0;
}

const struct weir_extension ext_tally = { .name = "tally",
	.help = "Counts.",
	.table = tally_table };
END
printf 'bang\ntally\n' >mine/modules.list
make -j2 -s -C mine/build weir >said 2>&1
none 'an extension is built in' "$(
	mine/build/weir --modules | grep -q '^tally - extension: Counts' ||
		cat said)"
printf '%s\n' 'extensions = ( "tally" );' 'servers = ( { } );' >mine/weir.conf
none 'and loaded' "$(mine/build/weir -q -t -c mine/weir.conf 2>&1)"
rm mine/tally.c

printf 'bang\n' >mine/modules.list
check
some 'a module that the list does not name is told' "$(
	grep '^note: .*/mine/two/two.c has mw_too, but .*/mine/modules.list' said)"
none 'and no other' "$(grep '^note: ' said | grep -v two.c)"
echo '# none' >mine/modules.list
check
some 'a list that names nothing is told' "$(
	grep '^check-extra: no module is named in .*/mine/modules.list$' said)"
printf 'bang\n' >mine/modules.list
none 'it is green again without the other' "$(red)"

# The Makefile of the template, where it cannot work.
mkdir clone
touch clone/configure.ac
for where in '../clone no.configure.in.*/clone:.run.autoreconf.-fi.there' \
	'../empty .*/empty.is.not.the.source.of.weir'; do
	rm -rf elsewhere
	cp -r "$srcdir/tests/module/template" elsewhere
	make -C elsewhere SOURCE="${where% *}" >said 2>&1
	some "SOURCE=${where% *} is told" "$(grep "^${where#* }" said)"
done

none 'no directory is told' "$(not_told \
	'--with-extra-modules wants a directory' --with-extra-modules)"
none 'a directory that is not there is told' "$(not_told \
	'--with-extra-modules: there is no directory nowhere ' \
	--with-extra-modules=nowhere)"
mkdir empty 'with blank'
none 'a directory without a list is told' "$(not_told \
	"--with-extra-modules: there is no $scratch/empty/modules.list" \
	--with-extra-modules=../empty)"
none 'a blank is told' "$(not_told '.*with blank: make wants paths of letters' \
	--with-extra-modules="$scratch/with blank")"
list_of twice bang
cp mine/bang.c twice
none 'a name that two directories have is told' "$(not_told \
	"$scratch/twice/modules.list names \"bang\" a second time" \
	--with-extra-modules=../twice,"$scratch/twice")"
list_of ours '# one that weir has' echo
none 'a name that weir has is told' "$(not_told \
	"$scratch/ours/modules.list names \"echo\": weir has a module" \
	--with-extra-modules=../ours)"
list_of lost gone
none 'a module without a file is told' "$(not_told \
	"$scratch/lost/modules.list names \"gone\": there is no .*/gone.c" \
	--with-extra-modules=../lost)"
list_of odd no-name
none 'a name that C does not take is told' "$(not_told \
	"$scratch/odd/modules.list names \"no-name\"" \
	--with-extra-modules=../odd)"

# What weir says of itself, and make check-extra of the module, when the
# descriptor is changed by words for sed.
described()
{
	cp mine/bang.c right.c
	sed "$1" right.c >mine/bang.c
	make -s -C mine/build weir >said 2>&1 || cat said
	mine/build/weir --man 2>&1 && echo 'it is taken'
	cp right.c mine/bang.c
}
none 'a module without help is told' "$(described '/\.help/d' |
	grep -v '^weir: module bang: mw_bang has no .help')"
none 'a module of another name is told' "$(described 's/"bang"/"bong"/' |
	grep -v '^weir: module bang: .name of mw_bang has to be "bang", not "b')"
none 'a module without a name is told' "$(described '/\.name/d' |
	grep -v '^weir: module bang: .name of mw_bang has to be "bang", not NULL')"
rows='static const struct weir_opt opts[] = {\n'
rows="$rows	WEIR_TIME(\"after\", struct conf, n, .def = \"1s\","
ends=' WEIR_OPT_END };\n'
opts='s/^	.flags/	.opts = opts,\n&/'
none 'an option without help is told, and one without a place' "$(described "
	s/^const/struct conf { uint32_t n; };\n$rows ), $ends&/; $opts" |
	sed -e '/"after" has no .help/d' -e '/"after" does not fit into 0/d')"
some 'a field of another type is told which one it should be' "$(described "
	s/^const/struct conf { size_t n; };\n$rows .help = \"N.\"), $ends&/
	$opts" | grep 'field n of this option has to be: uint32_t n')"
cp mine/bang.c right.c
sed 's/!\\"\./!\\"/' right.c >mine/bang.c
check
some 'make check-extra tries what is true of every module' "$(
	grep 'the help of bang is no sentence' said)"
cp right.c mine/bang.c

make -s -C mine/build check-extra ONLY='*pass*' >said 2>&1
none 'some of the cases can be chosen' "$(grep 'PASSED.* 1 test' said >found ||
	cat said)"
ONLY=nope make -s -C mine/build check-extra >said 2>&1
some 'but not none of them' "$(
	grep '^ONLY=nope: no case .*: test_bang_is_dropped, test_others' said)"

list_of other other
sed 's/bang/other/' mine/bang.c >other/other.c
printf 'bang\n' >mine/modules.list
none 'two directories, one of them relative, are taken' "$(
	configure --with-extra-modules=../other,"$scratch/mine" |
		grep -v '^it was taken')"
none 'and both are in' "$(grep -cE 'MIDDLEWARE\((other|bang)\)' \
	again/modules.def | grep -v '^2$')"
make -s -C mine/build distclean >said 2>&1
none 'distclean leaves nothing' "$(find mine/build -type f)"
finish
