/* api.c - requests to weir's HTTP API, by libcurl (libcurl-multi(3)). */
#include <sys/un.h>

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/cell.h"
#include "ctl/ctl.h"
#include "ctl/figure.h"

#define CONNECT_MS 5000L
#define TCP	   "http://"
#define UNIX	   "unix:"
#define UNIX_HOST  "http://weir" /* to libcurl; no name is looked up */

struct api {
	const char *where; /* as messages name it */
	const char *path;  /* of the unix socket; NULL: TCP */
	struct text bearer;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct text url;
	const struct api_request *request;
	struct api_answer *answer;
	CURLcode code;
	bool too_large;
};

static int api_where(struct api *a, const char *where);
static void api_options(struct api *a);
static void api_method(struct api *a);
static size_t api_heard(char *p, size_t size, size_t n, void *arg);
static int api_unreached(const struct api *a);
static int api_refused(const struct api *a);
static int api_read(const struct api *a);
static bool api_has_asked(const struct api *a);
static bool is_good(long status);

struct api *
api_new(const char *where, const char *token)
{
	struct api *a = calloc(1, sizeof(*a));

	if (a == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		ctl_out_of_memory();
	a->multi = curl_multi_init();
	a->easy = curl_easy_init();
	if (a->multi == NULL || a->easy == NULL)
		ctl_out_of_memory();
	if (api_where(a, where) == -1) {
		api_free(a);
		return NULL;
	}
	if (token != NULL && a->path == NULL)
		text_add_fmt(&a->bearer, "Authorization: Bearer %s", token);
	return a;
}

void
api_free(struct api *a)
{
	text_free(&a->bearer);
	text_free(&a->url);
	curl_slist_free_all(a->headers);
	curl_easy_cleanup(a->easy);
	curl_multi_cleanup(a->multi);
	curl_global_cleanup();
	free(a);
}

int
api_ask(struct api *a, const struct api_request *request,
	struct api_answer *answer)
{
	api_start(a, request, answer);
	while (!api_step(a, -1, INT_MAX))
		;
	return api_finish(a);
}

void
api_start(struct api *a, const struct api_request *request,
	struct api_answer *answer)
{
	*answer = (struct api_answer){ 0 };
	a->request = request;
	a->answer = answer;
	a->too_large = false;
	a->code = CURLE_OK;
	text_clear(&a->url);
	text_add(&a->url, a->path != NULL ? UNIX_HOST : a->where);
	text_add(&a->url, request->path);
	curl_slist_free_all(a->headers);
	a->headers = NULL;
	if (a->bearer.n > 0)
		a->headers = curl_slist_append(NULL, text_of(&a->bearer));
	if (request->body != NULL)
		a->headers = curl_slist_append(
			a->headers, "Content-Type: application/json");
	curl_easy_reset(a->easy);
	api_options(a);
	api_method(a);
	curl_multi_add_handle(a->multi, a->easy);
}

bool
api_step(struct api *a, int fd, int ms)
{
	struct curl_waitfd more = { .fd = fd, .events = CURL_WAIT_POLLIN };
	const CURLMsg *msg;
	int running, left;

	curl_multi_perform(a->multi, &running);
	if (running == 0) {
		msg = curl_multi_info_read(a->multi, &left);
		a->code = msg != NULL ? msg->data.result : CURLE_FAILED_INIT;
		return true;
	}
	curl_multi_poll(a->multi, &more, fd != -1, ms, NULL);
	return false;
}

int
api_finish(struct api *a)
{
	int status;

	curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &a->answer->status);
	if (a->code == CURLE_OPERATION_TIMEDOUT && a->request->may_end &&
		api_has_asked(a))
		status = CTL_FINE;
	else if (a->code != CURLE_OK)
		status = api_unreached(a);
	else if (!is_good(a->answer->status))
		status = api_refused(a);
	else
		status = a->request->heard != NULL ? CTL_FINE : api_read(a);
	curl_multi_remove_handle(a->multi, a->easy);
	return status;
}

void
api_cancel(struct api *a)
{
	curl_multi_remove_handle(a->multi, a->easy);
}

void
api_answer_free(struct api_answer *answer)
{
	text_free(&answer->text);
	json_decref(answer->json);
	answer->json = NULL;
}

void
api_messages(const json_t *json, FILE *f)
{
	const json_t *list = json_object_get(json, "messages"), *item;
	struct text line = { 0 };
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		if (json_is_object(item))
			item = json_object_get(item, "text");
		text_clear(&line);
		cell_add(&line, item, CELL_PLAIN);
		fprintf(f, "%s\n", text_of(&line));
	}
	text_free(&line);
}

/* -1 after a message. */
static int
api_where(struct api *a, const char *where)
{
	a->where = where;
	if (strncmp(where, TCP, strlen(TCP)) == 0) {
		if (where[strcspn(where + strlen(TCP), "/ ?#@") +
			    strlen(TCP)] == '\0' &&
			where[strlen(TCP)] != '\0')
			return 0;
		ctl_say("the API is at a PATH or http://HOST:PORT, not \"%s\"",
			where);
		return -1;
	}
	if (strncmp(where, UNIX, strlen(UNIX)) == 0)
		a->where += strlen(UNIX);
	a->path = a->where;
	if (a->path[0] == '\0' || strstr(a->path, "://") != NULL)
		ctl_say("the API is at a PATH or http://HOST:PORT, not \"%s\"",
			where);
	else if (strlen(a->path) >= sizeof((struct sockaddr_un){ 0 }.sun_path))
		ctl_say("the path of a socket has at most %zu bytes, and "
			"\"%s\" more",
			sizeof((struct sockaddr_un){ 0 }.sun_path) - 1,
			a->path);
	else
		return 0;
	return -1;
}

static void
api_options(struct api *a)
{
	int64_t ms = a->request->limit_ms;

	curl_easy_setopt(a->easy, CURLOPT_URL, text_of(&a->url));
	if (a->path != NULL)
		curl_easy_setopt(a->easy, CURLOPT_UNIX_SOCKET_PATH, a->path);
	/* No proxy of the environment, no other place: a token goes where it
	 * was meant to. */
	curl_easy_setopt(a->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(a->easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(a->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(a->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(a->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	if (ms >= 0)
		curl_easy_setopt(a->easy, CURLOPT_TIMEOUT_MS,
			(long)(ms > 0 ? ms : API_WAIT_MS));
	curl_easy_setopt(a->easy, CURLOPT_USERAGENT, "weirctl/" WEIR_VERSION);
	curl_easy_setopt(a->easy, CURLOPT_HTTPHEADER, a->headers);
	curl_easy_setopt(a->easy, CURLOPT_WRITEFUNCTION, api_heard);
	curl_easy_setopt(a->easy, CURLOPT_WRITEDATA, a);
}

static void
api_method(struct api *a)
{
	const char *method = a->request->method, *body = a->request->body;

	if (method == NULL)
		return;
	curl_easy_setopt(a->easy, CURLOPT_CUSTOMREQUEST, method);
	if (body != NULL || strcmp(method, "POST") == 0)
		curl_easy_setopt(
			a->easy, CURLOPT_POSTFIELDS, body != NULL ? body : "");
}

/* CURLOPT_WRITEFUNCTION(3): fewer than n ends the request. */
static size_t
api_heard(char *p, size_t size, size_t n, void *arg)
{
	struct api *a = arg;
	long status = 0;

	n *= size;
	curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	if (a->request->heard != NULL && is_good(status))
		return a->request->heard(a->request->arg, p, n) ? n : 0;
	if (n > API_MOST - a->answer->text.n) {
		a->too_large = true;
		return 0;
	}
	text_add_bytes(&a->answer->text, p, n);
	return n;
}

static int
api_unreached(const struct api *a)
{
	char text[FIGURE_TEXT];
	const char *why = curl_easy_strerror(a->code), *hint = "";
	int64_t ms = a->request->limit_ms;
	long error = 0;

	if (a->request->quiet)
		return CTL_UNREACHED;
	curl_easy_getinfo(a->easy, CURLINFO_OS_ERRNO, &error);
	if (a->code == CURLE_COULDNT_CONNECT && error != 0) {
		why = strerror((int)error);
		if (error == ENOENT || error == ECONNREFUSED)
			hint = "; is weir running, with api.listen set?";
		else if (error == EACCES)
			hint = "; it is for root, weir's own user and "
			       "api.operators";
	}
	switch (a->code) {
	case CURLE_OPERATION_TIMEDOUT:
		ctl_say("weir at %s did not answer within %s", a->where,
			figure_time(ms > 0 ? ms : API_WAIT_MS, text));
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		ctl_say("weir at %s broke off its answer", a->where);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		ctl_say("what answers at %s is not weir: it does not speak "
			"HTTP",
			a->where);
		break;
	case CURLE_WRITE_ERROR:
		if (a->too_large)
			ctl_say("weir at %s answered more than %s", a->where,
				figure_bytes(API_MOST, text));
		break;
	default:
		ctl_say("cannot reach weir at %s: %s%s", a->where, why, hint);
	}
	return CTL_UNREACHED;
}

/* The API says why in its own words, and the master in lines before them. */
static int
api_refused(const struct api *a)
{
	const struct text *body = &a->answer->text;
	json_t *json = json_loadb(text_of(body), body->n, 0, NULL);
	const json_t *error = json_object_get(json, "error");
	struct text plain = { 0 };
	long status = a->answer->status;

	if (!a->request->quiet && json_is_string(error)) {
		api_messages(json, stderr);
		text_add_plain(&plain, json_string_value(error),
			json_string_length(error));
		ctl_say("%s%s", text_of(&plain),
			status == 401 && a->bearer.n == 0 && a->path == NULL
				? " (--token-file gives a token)"
				: "");
	} else if (!a->request->quiet)
		ctl_say("weir at %s answered with HTTP status %ld and no "
			"reason",
			a->where, status);
	text_free(&plain);
	json_decref(json);
	return CTL_FAILED;
}

static int
api_read(const struct api *a)
{
	struct text *body = &a->answer->text;

	a->answer->json =
		json_loadb(text_of(body), body->n, JSON_ALLOW_NUL, NULL);
	if (a->request->any || json_is_object(a->answer->json))
		return CTL_FINE;
	if (!a->request->quiet)
		ctl_say("what answers at %s is not weir: it does not speak "
			"JSON",
			a->where);
	return CTL_UNREACHED;
}

/* Did somebody take the question, and refuse nothing? */
static bool
api_has_asked(const struct api *a)
{
	curl_off_t sent_us = 0;

	curl_easy_getinfo(a->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	return sent_us > 0 &&
	       (a->answer->status == 0 || is_good(a->answer->status));
}

static bool
is_good(long status)
{
	return status >= 200 && status <= 299;
}
