#include "config.h"

#include "core/clients.h"
#include "config/config_address.h"
#include "core/twin_tool.h"

#include <stdlib.h>
#include <string.h>

#define CLIENTS_QUEUE 1024                   /* calls to Bluejay waiting for a place */
#define CLIENTS_ANSWER_MAX ((size_t)4 << 20) /* bytes of one persona from upstream */
#define CLIENTS_IMAGES_QUEUE 64              /* portraits waiting for a place */
#define CLIENTS_IMAGE_MAX ((size_t)32 << 20) /* bytes of an answer with a portrait in it */

/* Opens a client, or gives an open one other settings; -1 with a sentence. */
static int
clients_set(struct gateway *gw, struct upstream **client, const struct upstream_config *u,
    struct fail *fail)
{
	if (*client != NULL)
		return upstream_adjust(*client, u, fail);
	*client = upstream_new(gw->loop, u, fail);
	return *client != NULL ? 0 : -1;
}

/* The client of Bluejay. */
static int
clients_set_bluejay(struct gateway *gw, const struct config *c, struct upstream *with,
    struct fail *fail)
{
	struct upstream_config u = {
	    .url = gw->upstream_url,
	    .proxy = gw->simulated ? NULL : c->bluejay.proxy,
	    .ca_file = c->bluejay.ca_file,
	    .connect_ms = c->bluejay.connect,
	    .first_byte_ms = c->bluejay.first_byte,
	    .total_ms = c->bluejay.total,
	    .retries = (unsigned)c->bluejay.retries,
	    .rate_per_minute = (unsigned)c->bluejay.rate_per_minute,
	    .http2 = c->bluejay.http == CONFIG_HTTP_2 && c->bluejay.proxy == NULL &&
	        strncmp(gw->upstream_url, "https:", 6) == 0,
	    .max_in_flight = (unsigned)c->bluejay.max_in_flight,
	    .max_queue = CLIENTS_QUEUE,
	    .max_answer = CLIENTS_ANSWER_MAX,
	    .log = gw->log,
	    .with = with,
	};

	return clients_set(gw, &gw->upstream, &u, fail);
}

/* Where portraits are drawn. */
static const char *
clients_images_url(const struct gateway *gw, const struct config *c)
{
	return c->images.sandbox && gw->simulated ? gw->upstream_url : c->images.url;
}

/* The client of the provider of images, if there is one. One that is no longer asked for
 * stays for the portraits that are being drawn. */
static int
clients_set_images(struct gateway *gw, const struct config *c, struct fail *fail)
{
	struct upstream_config u = {
	    .url = clients_images_url(gw, c),
	    .connect_ms = c->bluejay.connect < c->images.timeout ? c->bluejay.connect
	                                                         : c->images.timeout,
	    .first_byte_ms = c->images.timeout,
	    .total_ms = c->images.timeout,
	    .retries = (unsigned)c->bluejay.retries,
	    .max_in_flight = (unsigned)c->images.max_in_flight,
	    .max_queue = CLIENTS_IMAGES_QUEUE,
	    .max_answer = CLIENTS_IMAGE_MAX,
	    .log = gw->log,
	};
	char *host;

	if (c->images.provider != CONFIG_IMAGES_OPENAI)
		return 0;
	if (clients_set(gw, &gw->images, &u, fail) != 0)
		return -1;
	host = config_address_url_host(u.url);
	gw->images_local = config_address_is_loopback(host);
	free(host);
	return 0;
}

/* All of them. */
static int
clients_set_all(struct gateway *gw, struct snapshot *snap, struct fail *fail)
{
	if (clients_set_bluejay(gw, snap->config, NULL, fail) != 0 ||
	    clients_set_images(gw, snap->config, fail) != 0 || twin_tool_open(gw, snap, fail) != 0)
		return -1;
	gw->draws = snap->config->images.provider == CONFIG_IMAGES_OPENAI;
	return 0;
}

/* Opens them. */
int
clients_open(struct gateway *gw, struct fail *fail)
{
	return clients_set_all(gw, gw->snap, fail);
}

/* Changes them. */
int
clients_adjust(struct gateway *gw, struct snapshot *snap, struct fail *fail)
{
	struct fail ignored;

	if (clients_set_all(gw, snap, fail) == 0)
		return 0;
	clients_set_all(gw, gw->snap, &ignored); /* what was good before is good now */
	return -1;
}

/* Opens that of a gateway beside another one. */
int
clients_open_beside(struct gateway *gw, struct gateway *other, struct fail *fail)
{
	return clients_set_bluejay(gw, gw->snap->config, other->upstream, fail);
}

/* Changes it. */
int
clients_adjust_beside(struct gateway *gw, struct fail *fail)
{
	return clients_set_bluejay(gw, gw->snap->config, NULL, fail);
}

/* Closes them. */
void
clients_free(struct gateway *gw)
{
	upstream_free(gw->upstream);
	upstream_free(gw->images);
	upstream_free(gw->tool);
}
