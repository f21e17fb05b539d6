#include "config.h"

#include "store/postgres_url.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define POSTGRES_URL_OPTIONS 64 /* libpq knows fewer */

struct postgres_url {
	const char *keywords[POSTGRES_URL_OPTIONS + 1];
	char *values[POSTGRES_URL_OPTIONS + 1];
	size_t count;
	char *where;
};

/* What is set unless the URL sets it. A connection whose other end has vanished is noticed
 * by the kernel, and nothing waits for a ticket server. */
static const struct {
	const char *keyword, *value;
} postgres_url_wishes[] = {
    {"target_session_attrs", "read-write"},
    {"application_name", "persona-gateway"},
    {"gssencmode", "disable"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "3"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "10000"},
};

/* Sets an option; it takes the value over. */
static void
postgres_url_set(struct postgres_url *u, const char *keyword, char *value)
{
	size_t i = 0;

	while (i < u->count && strcmp(u->keywords[i], keyword) != 0)
		i++;
	if (i == POSTGRES_URL_OPTIONS) {
		mem_wipe_free(value);
		return;
	}
	if (i == u->count) {
		u->keywords[u->count++] = keyword;
		u->values[i] = NULL;
	}
	mem_wipe_free(u->values[i]);
	u->values[i] = value;
}

/* An option's value. */
const char *
postgres_url_option(const struct postgres_url *u, const char *keyword)
{
	for (size_t i = 0; i < u->count; i++)
		if (strcmp(u->keywords[i], keyword) == 0)
			return u->values[i];
	return "";
}

/* The database in sentences. */
const char *
postgres_url_where(const struct postgres_url *u)
{
	return u->where;
}

/* Takes over what was read; the keywords are libpq's own and live for ever. */
static void
postgres_url_take(struct postgres_url *u, const PQconninfoOption *options, const char *password)
{
	const char *host, *name;

	for (size_t i = 0; i < sizeof postgres_url_wishes / sizeof postgres_url_wishes[0]; i++)
		postgres_url_set(u, postgres_url_wishes[i].keyword,
		    mem_string(postgres_url_wishes[i].value));
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
		if (o->val != NULL)
			postgres_url_set(u, o->keyword, mem_string(o->val));
	if (password != NULL)
		postgres_url_set(u, "password", mem_string(password));
	postgres_url_set(u, "client_encoding", mem_string("UTF8")); /* whatever else is wished */
	host = postgres_url_option(u, "host");
	if (*host == '\0')
		host = postgres_url_option(u, "hostaddr");
	name = postgres_url_option(u, "dbname");
	u->where = mem_format("PostgreSQL (database %s at %s)", *name != '\0' ? name : "by default",
	    *host != '\0' ? host : "this machine");
}

/* Whether the parts of a URL can be told apart: with a "/" or "@" in a password that is not
 * written as %xx, libpq takes a part of it for a host or a name, which sentences show. */
static bool
postgres_url_plain(const char *url)
{
	size_t len = strcspn(url, "?"), slashes = 0, ats = 0;

	for (const char *p = strstr(url, "//") + 2; p < url + len; p++) {
		if (*p == '@' && (slashes > 0 || ats++ > 0))
			return false;
		if (*p == '/' && slashes++ > 0)
			return false;
	}
	return true;
}

/* Whether ports are numbers: behind a ":" may stand a password that has no host behind it. */
static bool
postgres_url_numbered(const PQconninfoOption *options)
{
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
		if (o->val != NULL && strcmp(o->keyword, "port") == 0)
			return o->val[strspn(o->val, "0123456789,")] == '\0';
	return true;
}

/* Reads what libpq knows of a URL; NULL when it cannot be read. */
static PQconninfoOption *
postgres_url_parse(const char *url)
{
	PQconninfoOption *options = NULL;
	char *why = NULL;

	/* What libpq says of a mistake may repeat a part of the password. */
	if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
		options = PQconninfoParse(url, &why);
	PQfreemem(why);
	if (options != NULL && postgres_url_plain(url) && postgres_url_numbered(options))
		return options;
	PQconninfoFree(options);
	return NULL;
}

/* Reads a URL. */
struct postgres_url *
postgres_url_new(const char *url, const char *password, struct fail *f)
{
	struct postgres_url *u;
	PQconninfoOption *options = postgres_url_parse(url);

	if (options == NULL) {
		fail_set(f, "store.url cannot be read: it must be like "
		    "postgresql://user@db.example:5432/database?sslmode=verify-full, with the "
		    "options of libpq, and every special character of a name or password as %%xx");
		return NULL;
	}
	u = mem_zero(1, sizeof *u);
	postgres_url_take(u, options, password);
	PQconninfoFree(options);
	return u;
}

/* Whether libpq says more of an option's value than sentences show. */
static bool
postgres_url_hides(const char *keyword)
{
	return strcmp(keyword, "dbname") != 0 && strcmp(keyword, "user") != 0 &&
	    strcmp(keyword, "host") != 0;
}

/* What libpq says, without the values that it quotes. */
char *
postgres_url_hide(const struct postgres_url *u, const char *words)
{
	char *line = mem_copy(words, strcspn(words, "\n"));

	for (size_t i = 0; i < u->count; i++) {
		char *quoted = mem_format("\"%s\"", u->values[i]), *at;

		while (postgres_url_hides(u->keywords[i]) && (at = strstr(line, quoted)) != NULL) {
			char *rest = mem_format("%.*s(hidden)%s", (int)(at - line), line, at + strlen(quoted));

			mem_wipe_free(line);
			line = rest;
		}
		mem_wipe_free(quoted);
	}
	return line;
}

/* Frees and wipes. */
void
postgres_url_free(struct postgres_url *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->count; i++)
		mem_wipe_free(u->values[i]);
	free(u->where);
	free(u);
}

/* What the server only remarks is for nobody; libpq would print it. */
static void
postgres_url_notice(void *arg, const PGresult *r)
{
}

/* Starts to connect. */
PGconn *
postgres_url_connect(const struct postgres_url *u, const char *host, const char *address,
    const char *port)
{
	const char *keywords[POSTGRES_URL_OPTIONS + 1], *values[POSTGRES_URL_OPTIONS + 1];
	size_t count = 0;
	PGconn *c;

	for (size_t i = 0; i < u->count; i++) {
		const char *k = u->keywords[i];

		if (strcmp(k, "host") == 0 || strcmp(k, "hostaddr") == 0 || strcmp(k, "port") == 0)
			continue;
		keywords[count] = k;
		values[count++] = u->values[i];
	}
	keywords[count] = "host";
	values[count++] = host;
	keywords[count] = "hostaddr";
	values[count++] = address;
	keywords[count] = "port";
	values[count++] = port;
	keywords[count] = values[count] = NULL;
	c = PQconnectStartParams(keywords, values, 0);
	PQsetNoticeReceiver(c, postgres_url_notice, NULL);
	return c;
}
