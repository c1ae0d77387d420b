# weirctl.bash - completion of weirctl for bash: weirctl itself knows best what
# may come next, and what runs it asks of weir.
# shellcheck shell=bash

_weirctl()
{
	mapfile -t COMPREPLY < <(
		"$1" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
	)
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace
	fi
}
complete -o default -F _weirctl weirctl
