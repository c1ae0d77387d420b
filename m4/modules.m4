# modules.m4 - which modules are built in.

# WEIR_MODULES(FILE)
# Reads the names of all modules from FILE (one a line, # starts a comment),
# keeps those that --with-modules and --with-modules-except ask for, finds
# each in modules/KIND as NAME.c or NAME/*.c, and writes modules.def with a
# line MIDDLEWARE(NAME) or EXTENSION(NAME) for each, LEFT_OUT(NAME) for the rest.
# Substitutes MODULE_OBJECTS (of those kept) and MODULE_SOURCES (of all);
# conditional ALL_MODULES: none was left out.
AC_DEFUN([WEIR_MODULES], [
	AC_ARG_WITH([modules], [AS_HELP_STRING([--with-modules=LIST|all],
		[modules to build in, with commas (all)])],
		[], [with_modules=all])
	AC_ARG_WITH([modules-except], [AS_HELP_STRING(
		[--with-modules-except=LIST], [modules to leave out])],
		[], [with_modules_except=])
	AS_CASE([$with_modules], [yes], [with_modules=all],
		[no], [with_modules=])
	AS_CASE([$with_modules_except], [yes|no], [with_modules_except=])

	weir_known=`$SED 's/#.*//' "$srcdir/$1" | tr -s '[[:space:]]' ' '`
	weir_modules_check "--with-modules" "$with_modules"
	weir_modules_check "--with-modules-except" "$with_modules_except"

	MODULE_OBJECTS= MODULE_SOURCES= weir_defs= weir_built= weir_all=yes
	for weir_name in $weir_known; do
		weir_module_find "$weir_name"
		MODULE_SOURCES="$MODULE_SOURCES $weir_files"
		AS_IF([weir_in_list "$weir_name" "$with_modules_except" ||
			{ ! weir_in_list all "$with_modules" &&
			! weir_in_list "$weir_name" "$with_modules"; }],
			[weir_defs="$weir_defs LEFT_OUT($weir_name)"
			weir_all=no
			continue])
		weir_defs="$weir_defs $weir_kind($weir_name)"
		weir_built="$weir_built $weir_name"
		for weir_file in $weir_files; do
			AS_CASE([$weir_file], [*.c], [MODULE_OBJECTS="$MODULE_OBJECTS `
				AS_ECHO(["$weir_file"]) | $SED 's/c$/o/'`"])
		done
	done
	AC_MSG_CHECKING([which modules to build in])
	AC_MSG_RESULT([${weir_built:- none}])
	AC_SUBST([MODULE_OBJECTS])
	AC_SUBST([MODULE_SOURCES])
	AM_CONDITIONAL([ALL_MODULES], [test $weir_all = yes])
	AC_CONFIG_COMMANDS([modules.def], [
		{
			AS_ECHO(["/* modules.def - made by configure: what is built in. */"])
			for weir_def in $weir_defs; do
				AS_ECHO(["$weir_def"])
			done
		} >modules.def.tmp
		AS_IF([cmp -s modules.def.tmp modules.def],
			[rm -f modules.def.tmp],
			[mv -f modules.def.tmp modules.def])
	], [weir_defs='$weir_defs'])
])

m4_divert_text([INIT_PREPARE], [
# Is word [$]1 in the list [$]2 (blanks or commas between)?
weir_in_list ()
{
	case ",`printf '%s' "[$]2" | tr ' ' ','`," in
	*",[$]1,"*) return 0 ;;
	esac
	return 1
}

# Ends configure when list [$]2 of switch [$]1 has a name that is not known.
weir_modules_check ()
{
	for weir_name in `printf '%s' "[$]2" | tr ',' ' '`; do
		if test "[$]1 $weir_name" != "--with-modules all" &&
			! weir_in_list "$weir_name" "$weir_known"; then
			as_fn_error 1 "[$]1: there is no module \"$weir_name\" (known: all`
				printf '%s' " $weir_known" | sed 's/  */, /g; s/, $//'`)"
		fi
	done
}

# Sets weir_kind and weir_files (from the top of the source) of module [$]1.
weir_module_find ()
{
	for weir_kind in MIDDLEWARE EXTENSION; do
		weir_dir=modules/`printf '%s' $weir_kind | tr A-Z a-z`
		if test -f "$srcdir/$weir_dir/[$]1.c"; then
			weir_files=$weir_dir/[$]1.c
			return
		fi
		if test -d "$srcdir/$weir_dir/[$]1"; then
			weir_files=`cd "$srcdir" &&
				echo "$weir_dir/[$]1"/*.[[ch]]`
			return
		fi
	done
	as_fn_error 1 "modules.list names \"[$]1\": no modules/middleware/[$]1.c or modules/extension/[$]1.c"
}
])
