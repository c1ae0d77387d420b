# extra.m4 - modules that lie outside the tree.

# WEIR_EXTRA_MODULES
# Reads DIR/modules.list for each DIR of --with-extra-modules, after
# WEIR_MODULES, and adds what it names to modules.def.  Substitutes MORE_MODULES
# (names), MORE_OBJECTS, MORE_LISTS (modules.list files), MORE_TESTS_WANTED (one
# DIR/test_NAME.c a module, there or not), and MORE_SYMBOLS, what has to be made
# before anything is linked with them; writes extra.mk, which says what each
# object and test is made of.
AC_DEFUN([WEIR_EXTRA_MODULES], [
	AC_ARG_WITH([extra-modules], [AS_HELP_STRING(
		[--with-extra-modules=DIR@<:@,DIR@:>@],
		[build in the modules of these directories too, each with a
		modules.list])],
		[], [with_extra_modules=no])
	AS_CASE([$with_extra_modules], [no], [with_extra_modules=],
		[yes|''], [AC_MSG_ERROR(
			[--with-extra-modules wants a directory, or DIR,DIR])])
	weir_more_path "$with_extra_modules"

	MORE_MODULES= MORE_OBJECTS= MORE_LISTS= MORE_TESTS_WANTED= MORE_SYMBOLS=
	weir_rules=
	for weir_dir in `AS_ECHO(["$with_extra_modules"]) | tr ',' ' '`; do
		AC_MSG_CHECKING([which modules $weir_dir adds])
		weir_more_dir "$weir_dir"
		weir_added=
		for weir_name in $weir_names; do
			weir_more_module "$weir_name"
			weir_added="$weir_added $weir_name"
		done
		AC_MSG_RESULT([${weir_added:- none}])
	done
	AS_IF([test -n "$MORE_MODULES"], [MORE_SYMBOLS=extra/symbols])
	AC_CHECK_TOOL([NM], [nm], [nm])
	AC_SUBST([MORE_MODULES])
	AC_SUBST([MORE_OBJECTS])
	AC_SUBST([MORE_LISTS])
	AC_SUBST([MORE_TESTS_WANTED])
	AC_SUBST([MORE_SYMBOLS])
	AC_CONFIG_COMMANDS([extra.mk], [
		{
			AS_ECHO(["# extra.mk - made by configure: modules outside the tree."])
			for weir_rule in $weir_rules; do
				AS_ECHO(["$weir_rule"]) | tr '|' ' '
			done
		} >extra.mk.tmp
		AS_IF([cmp -s extra.mk.tmp extra.mk],
			[rm -f extra.mk.tmp],
			[mv -f extra.mk.tmp extra.mk])
	], [weir_rules='$weir_rules'])
])

m4_divert_text([INIT_PREPARE], [
# Ends configure when make could not have paths [$]1.
weir_more_path ()
{
	case [$]1 in
	*[[!A-Za-z0-9_./,+@=-]]*)
		as_fn_error 1 "--with-extra-modules=[$]1: make wants paths of letters, digits and _ . / + @ = - only, without blanks" ;;
	esac
}

# Sets weir_at and weir_names of directory [$]1.
weir_more_dir ()
{
	weir_at=`cd "[$]1" 2>/dev/null && pwd` ||
		as_fn_error 1 "--with-extra-modules: there is no directory [$]1 (seen from `pwd`)"
	weir_more_path "$weir_at"
	test -f "$weir_at/modules.list" ||
		as_fn_error 1 "--with-extra-modules: there is no $weir_at/modules.list, which names its modules, one a line"
	MORE_LISTS="$MORE_LISTS $weir_at/modules.list"
	weir_names=`sed 's/#.*//' "$weir_at/modules.list" | tr -s '[[:space:]]' ' '`
}

# Adds module [$]1 of directory weir_at.
weir_more_module ()
{
	case [$]1 in
	[[0-9]]* | *[[!A-Za-z0-9_]]*)
		as_fn_error 1 "$weir_at/modules.list names \"[$]1\": mw_[$]1 is no name in C" ;;
	esac
	if weir_in_list "[$]1" "$weir_known"; then
		as_fn_error 1 "$weir_at/modules.list names \"[$]1\": weir has a module of that name (modules/modules.list)"
	fi
	if weir_in_list "[$]1" "$MORE_MODULES"; then
		as_fn_error 1 "$weir_at/modules.list names \"[$]1\" a second time, here or in another directory of --with-extra-modules"
	fi
	if test -f "$weir_at/[$]1.c"; then
		weir_more_object "extra/[$]1.o" "$weir_at/[$]1.c"
	else
		set -- "[$]1" "$weir_at/[$]1"/*.c
		test -f "[$]2" ||
			as_fn_error 1 "$weir_at/modules.list names \"[$]1\": there is no $weir_at/[$]1.c, and no $weir_at/[$]1/*.c"
		for weir_file in "[$]@"; do
			test "$weir_file" = "[$]1" ||
				weir_more_object "extra/[$]1/`basename "$weir_file" .c`.o" "$weir_file"
		done
	fi
	MORE_MODULES="$MORE_MODULES [$]1"
	MORE_TESTS_WANTED="$MORE_TESTS_WANTED $weir_at/test_[$]1.c"
	weir_rules="$weir_rules extra/test_[$]1:|$weir_at/test_[$]1.c"
	weir_kind=MIDDLEWARE
	if cat "$weir_at/[$]1.c" "$weir_at/[$]1"/*.c 2>/dev/null |
		grep "weir_extension  *ext_[$]1" >/dev/null; then
		weir_kind=EXTENSION
	fi
	weir_defs="$weir_defs $weir_kind([$]1)"
}

# Object [$]1 is made of [$]2.
weir_more_object ()
{
	weir_more_path "[$]2"
	MORE_OBJECTS="$MORE_OBJECTS [$]1"
	weir_rules="$weir_rules [$]1:|[$]2"
}
])
