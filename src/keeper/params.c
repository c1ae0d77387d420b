/* params.c - parameters of a request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/request.h"

bool
request_number(
	struct weir_request *r, const char *name, uint64_t most, uint64_t *n)
{
	const char *text = weir_request_value(r, name);
	unsigned long long value;
	char *end;

	if (text == NULL)
		return true;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
		value > most) {
		request_refuse(r, 400,
			"parameter \"%s\" wants a number from 0 to %llu, not "
			"\"%.64s\"",
			name, (unsigned long long)most, text);
		return false;
	}
	*n = value;
	return true;
}

bool
request_flag(struct weir_request *r, const char *name)
{
	const char *text = weir_request_value(r, name);

	return text != NULL && strcmp(text, "0") != 0 &&
	       strcmp(text, "false") != 0 && strcmp(text, "no") != 0;
}

bool
request_text(struct weir_request *r, const char *name, char *to, size_t size)
{
	const char *text = weir_request_value(r, name);

	if (text == NULL)
		return true;
	if (strlen(text) >= size) {
		request_refuse(r, 400,
			"parameter \"%s\" wants at most %zu bytes", name,
			size - 1);
		return false;
	}
	memcpy(to, text, strlen(text) + 1);
	return true;
}

const char *
weir_request_value(struct weir_request *r, const char *name)
{
	const struct evkeyval *kv;

	TAILQ_FOREACH(kv, &r->query, next)
	{
		if (strcmp(kv->key, name) == 0)
			return kv->value;
	}
	return NULL;
}
