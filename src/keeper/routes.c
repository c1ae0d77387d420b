/* routes.c - all pages of the core. */
#include "keeper/route.h"

#define GET    EVHTTP_REQ_GET
#define POST   EVHTTP_REQ_POST
#define PUT    EVHTTP_REQ_PUT
#define DELETE EVHTTP_REQ_DELETE

const struct route routes[] = { { GET, "/v1/status", "", true, page_status },
	{ GET, "/v1/workers", "", true, page_workers },
	{ GET, "/v1/generations", "", true, page_generations },
	{ GET, "/v1/channels",
		"server client backend state min_age_ms min_idle_ms sort "
		"reverse limit rate_ms",
		true, page_channels },
	{ POST, "/v1/channels/*/kill", "", false, page_kill },
	{ GET, "/v1/trace", "id client bytes", true, page_trace },
	{ POST, "/v1/reload", "", false, page_reload },
	{ POST, "/v1/reopen", "", false, page_reopen },
	{ POST, "/v1/drain", "", false, page_drain },
	{ POST, "/v1/servers/*/pause", "", false, page_pause },
	{ POST, "/v1/servers/*/resume", "", false, page_resume },
	{ GET, "/v1/listeners", "", true, page_listeners },
	{ GET, "/v1/tables", "", true, page_tables },
	{ GET, "/v1/tables/*", "limit prefix check", true, page_rows },
	{ GET, "/v1/tables/*/keys/*", "", true, page_key },
	{ PUT, "/v1/tables/*/keys/*", "", false, page_set },
	{ DELETE, "/v1/tables/*/keys/*", "", false, page_remove },
	{ DELETE, "/v1/tables/*/keys", "", false, page_clear },
	{ GET, "/v1/config", "", true, page_config },
	{ GET, "/v1/extensions", "", true, page_extensions },
	/* Some commands only read: the page asks for more rights. */
	{ POST, "/v1/extensions/*/*", NULL, true, page_command }, { 0 } };
