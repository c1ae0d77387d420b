# join.awk - one page of its parts: a line "@INCLUDE NAME" stands for file NAME
# of directory dir.
/^@INCLUDE / {
	file = dir "/" $2
	while ((got = (getline line < file)) > 0)
		print line
	if (got < 0) {
		print "join.awk: " file " cannot be read" >"/dev/stderr"
		exit 1
	}
	close(file)
	next
}
{ print }
