# module.awk - makes weir-module.7.in a manual: lines that start with @ are
# replaced by what the headers of src/api and the sources of modules say, so
# that it is written once.  -v top=DIR is the top of the source.
#
#   @FUNCTIONS FILE [PATTERN]  functions whose names match
#   @CALLBACKS FILE STRUCT     members of a struct that are functions
#   @FIELDS FILE STRUCT        its members
#   @ENUM FILE NAME            constants of an enum that say what they mean
#   @WORDS FILE TABLE          words of an X-macro
#   @ROWS FILE                 macros of option rows, with the types they fill
#   @SAMPLE FILE               a source; then, text between them,
#   @TO TEXT                     its lines up to one that contains TEXT
#                                (that is it, if that is short),
#   @REST                        and those that are left
# What cannot be found ends the build.

function die(text) {
	printf "weir-module.7.in:%d: %s\n", FNR, text | "cat 1>&2"
	failed = 1
	exit 1
}

# Lines of a source become line[1..lines].
function load(file,   status, text) {
	lines = 0
	while ((status = (getline text <(top "/" file))) > 0)
		line[++lines] = text
	if (status < 0)
		die(file " cannot be read")
	close(top "/" file)
}

function escaped(text) {
	gsub(/\\/, "\\e", text)
	return text
}

# A comment's text as sentences, one a line at least.
function say(text,   n, sentence, i) {
	gsub(/[ \t]+/, " ", text)
	sub(/^ /, "", text)
	sub(/ $/, "", text)
	text = escaped(text)
	if (text !~ /[.!?]$/)
		text = text "."
	gsub(/[.!?] /, "&\n", text)
	gsub(/ \n/, "\n", text)
	n = split(text, sentence, "\n")
	for (i = 1; i <= n; i++)
		fill(sentence[i])
	found++
}

# Prints text in lines that are not too long.
function fill(text,   n, word, i, column) {
	n = split(text, word, " ")
	for (i = 1; i <= n; i++) {
		if (word[i] ~ /^weir_[a-z_]+\([a-z0-9_]*\)[.,;:]?$/) {
			printf "%s.Fn %s\n", (column > 0 ? "\n" : ""),
				call_of(word[i])
			column = 0
			continue
		}
		if (column > 0 && column + length(word[i]) > 72) {
			column = 0
			printf "\n"
		}
		# No macro, whatever a comment says.
		if (column == 0 && word[i] ~ /^[.']/)
			printf "\\&"
		printf "%s%s", (column > 0 ? " " : ""), word[i]
		column += length(word[i]) + 1
	}
	if (column > 0)
		printf "\n"
}

# "weir_pass(0)," becomes "weir_pass 0 ,".
function call_of(text,   end) {
	end = text
	sub(/^[^)]*\)/, "", end)
	sub(/\).*/, "", text)
	sub(/\(/, " ", text)
	sub(/ $/, "", text)
	return end == "" ? text : text " " end
}

# Reads the comment that starts in line[at]; at becomes its last line.
function comment_at(   text, more) {
	text = line[at]
	while (line[at] !~ /\*\// && at < lines) {
		more = line[++at]
		sub(/^[ \t]*\*?[ \t]/, "", more)
		text = text " " more
	}
	sub(/.*\/\*/, "", text)
	sub(/\*\/.*/, "", text)
	return text
}

# A prototype in one line becomes the head of an item.
function head(text,   type, name, args, n, part, i) {
	gsub(/__attribute__.*/, "", text)
	gsub(/WEIR_USE|static inline|;/, "", text)
	gsub(/static /, "", text)
	gsub(/[ \t]+/, " ", text)
	sub(/^ /, "", text)
	type = text
	sub(/ ?\(?\*?[a-z_]+\)?\(.*/, "", type)
	name = substr(text, length(type) + 1)
	args = name
	sub(/\)? ?\(.*/, "", name)
	if (args ~ /^ ?\(\*/) {
		name = args
		sub(/^ ?\(\*/, "", name)
		sub(/\).*/, "", name)
		sub(/^ ?\([^)]*\)/, "", args)
	}
	if (name ~ /^ ?\*/)
		type = type " *"
	gsub(/[ *(]/, "", name)
	sub(/^[^(]*\(/, "", args)
	sub(/\) *$/, "", args)
	sub(/^ /, "", args)
	printf ".It Xo\n.Ft \"%s\"\n.Fo %s\n", type, name
	n = split(args, part, /, */)
	for (i = 1; i <= n; i++)
		printf ".Fa \"%s\"\n", part[i]
	print ".Fc\n.Xc"
}

function functions(file, pattern,   text, decl, name) {
	load(file)
	for (at = 1; at <= lines; at++) {
		if (line[at] ~ /^\/\*/) {
			text = comment_at()
			continue
		}
		if (line[at] ~ /\{$/ && line[at] !~ /\(/)
			while (at < lines && line[at] !~ /^\}/)
				at++
		if (line[at] ~ /^([#\t}]|$)/) {
			if (line[at] ~ /^$/)
				text = ""
			continue
		}
		decl = line[at]
		while (decl !~ /;$/ && line[at + 1] != "{" && at < lines)
			decl = decl " " line[++at]
		if (decl !~ /weir_[a-z_]+\(/)
			continue
		name = decl
		sub(/^.*weir_/, "weir_", name)
		name = decl
		match(name, /weir_[a-z_]+\(/)
		name = substr(name, RSTART, RLENGTH - 1)
		if (name !~ pattern)
			continue
		head(decl)
		# Those without a comment share that of the one before.
		if (line[at + 1] !~ /^[a-z]/)
			say(text)
	}
}

function callbacks(file, struct,   text, decl) {
	load(file)
	for (at = 1; at <= lines && line[at] != "struct " struct " {"; at++)
		;
	for (; at <= lines && line[at] != "};"; at++) {
		if (line[at] ~ /^\t\/\*/) {
			text = comment_at()
			continue
		}
		decl = line[at]
		while (decl !~ /;/ && decl !~ /\{$/ && at < lines && decl != "")
			decl = decl " " line[++at]
		if (decl !~ /\(\*[a-z]+\)/)
			continue
		head(decl)
		if (line[at + 1] !~ /\(\*/)
			say(text)
	}
}

function fields(file, struct,   text, decl) {
	load(file)
	for (at = 1; at <= lines && line[at] != "struct " struct " {"; at++)
		;
	for (at++; at <= lines && line[at] != "};"; at++) {
		decl = line[at]
		gsub(/^\t|;.*/, "", decl)
		printf ".It Fa \"%s\"\n", decl
		# Those without a comment share that of the next one.
		if (line[at] ~ /\/\*/)
			say(comment_at())
	}
}

function constants(file, name,   text, word) {
	load(file)
	for (at = 1; at <= lines && line[at] != "enum " name " {"; at++)
		;
	for (at++; at <= lines && line[at] !~ /^};/; at++) {
		if (line[at] ~ /^\t\/\*/) {
			text = comment_at()
			continue
		}
		word = line[at]
		gsub(/^\t|[ ,].*/, "", word)
		if (line[at] ~ /\/\*/)
			text = comment_at()
		if (text != "") {
			print ".It Dv " word
			say(text)
		}
		meaning[word] = text
		text = ""
	}
}

function words(file, table,   part) {
	load(file)
	for (at = 1; at <= lines && line[at] !~ "^#define " table "\\("; at++)
		;
	for (at++; at <= lines && line[at] ~ /^[ \t]*X\(/; at++) {
		split(line[at], part, "\"")
		print ".It Ql " part[2]
		say(comment_at())
	}
}

function rows(file,   name, type) {
	load(file)
	for (at = 1; at <= lines; at++)
		if (line[at] ~ /^\tWEIR_T_[A-Z]+,.*\/\*/) {
			type = line[at]
			gsub(/^\t|,.*/, "", type)
			meaning[type] = comment_at()
		}
	for (at = 1; at <= lines; at++) {
		if (line[at] !~ /^#define WEIR_[A-Z]+\(k, S, f, /)
			continue
		name = line[at]
		gsub(/^#define |\(.*/, "", name)
		match(line[++at], /WEIR_T_[A-Z]+/)
		type = substr(line[at], RSTART, RLENGTH)
		printf ".It Fn %s key \"struct conf\" field ...\n", name
		say(meaning[type])
	}
}

# Lines of the sample up to number end.
function sample(end,   text) {
	print ".Bd -literal"
	for (; sample_at <= end; sample_at++) {
		text = escaped(sample_line[sample_at])
		gsub(/\t/, "    ", text)
		text = sprintf("%3d  %s", sample_at, text)
		sub(/ +$/, "", text)
		print text
	}
	print ".Ed"
	paragraph = 1
	found++
}

function sample_done() {
	if (sample_file != "" && sample_at <= sample_lines)
		die(sample_file " has lines that are not explained, from " \
			sample_at)
	sample_file = ""
}

/^@/ { found = 0; directive = $0 }
/^@FUNCTIONS / { functions($2, $3 == "" ? "." : $3) }
/^@CALLBACKS / { callbacks($2, $3) }
/^@FIELDS / { fields($2, $3) }
/^@ENUM / { constants($2, $3) }
/^@WORDS / { words($2, $3) }
/^@ROWS / { rows($2) }
/^@SAMPLE / {
	sample_done()
	sample_file = $2
	load(sample_file)
	for (at = 1; at <= lines; at++)
		sample_line[at] = line[at]
	sample_lines = lines
	sample_at = found = 1
	sample_end = 0
}
/^@TO / {
	text = substr($0, 5)
	for (at = sample_end + 1; at <= sample_lines; at++)
		if (sample_line[at] == text || (length(text) > 2 &&
			index(sample_line[at], text)))
			break
	if (at > sample_lines)
		die(sample_file " has no \"" text "\" from line " sample_at)
	sample_end = at
	next
}
/^@REST$/ { sample_end = sample_lines }
sample_file != "" && sample_at <= sample_end { sample(sample_end) }
/^@[A-Z]+@$/ { print; next }
/^@/ {
	if (!found)
		die("nothing was found: " directive)
	next
}
paragraph && !/^\.(Sh|Ss|Pp|Bd)/ { print ".Pp" }
{
	paragraph = 0
	print
}
END { if (!failed) sample_done() }
