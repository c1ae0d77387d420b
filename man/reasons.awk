# reasons.awk - the list of reasons in weir.conf(5), from reason.def.
/^WEIR_REASON/ { row = "" }
{ row = row $0 }
/\)$/ && row ~ /^WEIR_REASON/ {
	split(row, part, "\"")
	if (part[2] != "none")
		printf ".It Cm %s\n%s\n", part[2], part[4]
	row = ""
}
