#!/bin/sh
# words.sh - calls and marks that have no place here.  The patterns are written
# so that they do not find themselves.
. "$(dirname "$0")/lib.sh"

# Writes the lines of C below directories $3... of $1 that match $2.
matches()
{
	top=$1
	pattern=$2
	shift 2
	sources "$top" "$@" | (
		cd "$top" && xargs -r grep -nE "$pattern" /dev/null
	)
}

unbounded='(^|[^[:alnum:]_])(strc[p]y|strc[a]t|v?sprint[f]|get[s]|ato[i]|ato[l]|strto[k])\('
waiting='(^|[^[:alnum:]_])(u|nano|clock_nano)?slee[p][[:space:]]*\('
marks='TOD[O]|FIXM[E]|(^|[^X])XX[X]([^X]|$)'

mkdir "$scratch/src"
for call in 'strcp''y(a, b)' 'x = ato''i(s)'; do
	echo "	$call;" >"$scratch/src/a.c"
	some "$call is found" "$(matches "$scratch" "$unbounded" src)"
done
echo '	fgets(a, 1, f); strlcpy(a, b, 1); /* he gets (a lot) */' >"$scratch/src/a.c"
none 'bounded calls are not' "$(matches "$scratch" "$unbounded" src)"
echo '	uslee''p(1);' >"$scratch/src/a.c"
some 'a test that waits blindly is found' \
	"$(matches "$scratch" "$waiting" src)"
echo '/* TO''DO */' >"$scratch/src/a.c"
some 'a mark of unfinished work is found' \
	"$(matches "$scratch" "$marks" src)"

none 'no unbounded call' "$(matches "$srcdir" "$unbounded" src modules bench)"
none 'no test waits blindly' "$(matches "$srcdir" "$waiting" tests)"
none 'no test script does' "$(cd "$srcdir" && grep -rnE --include='*.sh' \
	'(^|[^[:alnum:]_])slee[p] ' tests)"
none 'no marks of unfinished work' \
	"$(matches "$srcdir" "$marks" src modules tests bench)"
finish
