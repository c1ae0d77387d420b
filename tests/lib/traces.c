/* traces.c - what a weir that has ended left in its directory. */
#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/traces.h"

#define TRACES_ALERTS 32

static bool traces_is_bad(const char *line, const char *const *alerts,
	size_t nalerts, bool *came);
static const char *traces_name(
	char path[static PATH_MAX], const char *dir, const struct dirent *e);

const char *
traces_find(const char *dir, const char *const *alerts, size_t nalerts,
	char why[static TRACES_WHY])
{
	char path[PATH_MAX], line[8192];
	bool came[TRACES_ALERTS] = { false };
	const char *found = NULL;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);
	FILE *f;
	size_t i;

	while (d != NULL && found == NULL && (e = readdir(d)) != NULL) {
		if (lstat(traces_name(path, dir, e), &st) == -1)
			continue;
		if (S_ISSOCK(st.st_mode) || strstr(e->d_name, ".pid") != NULL) {
			snprintf(why, TRACES_WHY, "%s was left", e->d_name);
			found = why;
		}
		f = S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
		while (f != NULL && found == NULL &&
			fgets(line, sizeof(line), f) != NULL)
			if (traces_is_bad(line, alerts, nalerts, came)) {
				snprintf(why, TRACES_WHY, "in %s: %.900s",
					e->d_name, line);
				found = why;
			}
		if (f != NULL)
			fclose(f);
	}
	if (d != NULL)
		closedir(d);
	for (i = 0; found == NULL && i < nalerts; i++)
		if (!came[i]) {
			snprintf(why, TRACES_WHY, "no [alert] with \"%s\"",
				alerts[i]);
			found = why;
		}
	return found;
}

void
traces_show(const char *dir)
{
	char path[PATH_MAX], line[8192];
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);
	FILE *f;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (lstat(traces_name(path, dir, e), &st) == -1 ||
			!S_ISREG(st.st_mode) || (f = fopen(path, "re")) == NULL)
			continue;
		fprintf(stderr, "---- %s\n", path);
		while (fgets(line, sizeof(line), f) != NULL)
			fputs(line, stderr);
		fclose(f);
	}
	if (d != NULL)
		closedir(d);
}

void
traces_remove(const char *dir)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove(traces_name(path, dir, e));
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

static bool
traces_is_bad(
	const char *line, const char *const *alerts, size_t nalerts, bool *came)
{
	size_t i;

	if (strstr(line, "Sanitizer") != NULL ||
		strstr(line, "runtime error:") != NULL)
		return true;
	if (strstr(line, "[alert]") == NULL)
		return false;
	for (i = 0; i < nalerts && i < TRACES_ALERTS; i++)
		if (strstr(line, alerts[i]) != NULL) {
			came[i] = true;
			return false;
		}
	return true;
}

static const char *
traces_name(char path[static PATH_MAX], const char *dir, const struct dirent *e)
{
	snprintf(path, PATH_MAX, "%.2048s/%s", dir, e->d_name);
	return path;
}
