/* route.h - which page answers which request. */
#ifndef KEEPER_ROUTE_H
#define KEEPER_ROUTE_H

#include <event2/http.h>

#include "keeper/request.h"

struct weir_keeper;

struct route {
	enum evhttp_cmd_type method; /* of HEAD: GET */
	const char *path;	     /* "*" is any part of it */
	const char *params;	     /* words; NULL: any */
	bool reads;		     /* changes nothing */
	void (*page)(struct weir_request *r);
};

/* Those of the core, which end with a page that is NULL. */
extern const struct route routes[];

/* Pages; parts of r are what "*" stands for. */
void page_status(struct weir_request *r);
void page_workers(struct weir_request *r);
void page_generations(struct weir_request *r);
void page_channels(struct weir_request *r);
void page_kill(struct weir_request *r);
void page_trace(struct weir_request *r);
void page_reload(struct weir_request *r);
void page_reopen(struct weir_request *r);
void page_drain(struct weir_request *r);
void page_pause(struct weir_request *r);
void page_resume(struct weir_request *r);
void page_listeners(struct weir_request *r);
void page_config(struct weir_request *r);
void page_extensions(struct weir_request *r);
void page_command(struct weir_request *r);

void page_tables(struct weir_request *r);
void page_rows(struct weir_request *r);
void page_key(struct weir_request *r);
void page_set(struct weir_request *r);
void page_remove(struct weir_request *r);
void page_clear(struct weir_request *r);

/* Answers a request for a page of an extension: false, there is none. */
bool pages_answer(struct weir_request *r, const char *path);
void pages_done(struct weir_keeper *k);

#endif
