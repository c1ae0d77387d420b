#!/bin/sh
# layers.sh - includes point one way.
. "$(dirname "$0")/lib.sh"

# Who may include whom, beside its own folder.  registry and heritage are the
# two headers at the top of src.
layers='
api:
registry: api
base: api
conf: api base registry
shm: api base
heritage: api base conf
engine: api base conf shm registry heritage
worker: api base conf shm registry heritage engine
master: api base conf shm registry heritage
keeper: api base conf shm registry heritage engine
ctl: api base
main: api base conf shm registry heritage master
'

# Writes each include below $1/src that goes the wrong way.
layers_wrong()
{
	(
		cd "$1" && sources . src | while read -r file; do
			sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\(.*\)".*/\1/p' \
				"$file" | sed "s|^|$file |"
		done
	) | awk -v layers="$layers" '
		BEGIN {
			n = split(layers, lines, "\n")
			for (i = 1; i <= n; i++) {
				m = split(lines[i], w, /[: ]+/)
				if (m == 0)
					continue
				known[w[1]] = 1
				may[w[1], w[1]] = 1
				for (j = 2; j <= m; j++)
					may[w[1], w[j]] = 1
			}
		}
		function layer(path) {
			sub(/^(\.\/)?src\//, "", path)
			sub(/\.[ch]$/, "", path)
			sub(/\/.*/, "", path)
			return path
		}
		{
			from = layer($1)
			to = layer($2)
			if ($2 == "modules.def" && from == "registry")
				next
			if (from == "api" && $2 !~ /\//)
				next
			if (!(from in known))
				print $1 ": nothing is known of layer " from
			else if ($2 ~ /\.\./ || !((from, to) in may))
				print $1 ": includes " $2
		}'
}

# Writes each include below $1/modules that is not weir.h, a header of the
# system, or one that lies beside it.
modules_wrong()
{
	sources "$1" modules | while read -r file; do
		sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\(.*\)".*/\1/p' \
			"$1/$file" | while read -r name; do
			case $name in
			weir.h) ;;
			*.bytes) ;; # made by the build
			*/*) printf '%s: includes %s\n' "$file" "$name" ;;
			*) [ -e "$(dirname "$1/$file")/$name" ] ||
				printf '%s: includes %s\n' "$file" "$name" ;;
			esac
		done
	done
}

mkdir -p "$scratch/src/base" "$scratch/src/api" "$scratch/modules/middleware"
echo '#include "engine/flow.h"' >"$scratch/src/base/bad.c"
some 'base that includes engine is found' "$(layers_wrong "$scratch")"
rm "$scratch/src/base/bad.c"
echo '#include "base/log.h"' >"$scratch/src/api/bad.h"
some 'api that includes base is found' "$(layers_wrong "$scratch")"
echo '#include "base/log.h"' >"$scratch/modules/middleware/bad.c"
some 'a module that includes base is found' "$(modules_wrong "$scratch")"

none 'includes of the core point one way' "$(layers_wrong "$srcdir")"
none 'modules include weir.h only' "$(modules_wrong "$srcdir")"
finish
