#include "config.h"

#include "config/config_keys.h"

#include "config/config_values.h"

#include <string.h>

#define MS INT64_C(1)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define AT(member) .offset = offsetof(struct config, member), .given = CONFIG_NOWHERE
#define IN_PROJECT(member) .offset = offsetof(struct config_project, member), \
	.given = CONFIG_NOWHERE
#define IN_CLIENT(member) .offset = offsetof(struct config_client, member), \
	.given = CONFIG_NOWHERE
#define UNSTORED .offset = CONFIG_NOWHERE, .given = CONFIG_NOWHERE

/* In the order of enum log_level and enum log_format. */
static const char *const config_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const config_formats[] = {"auto", "text", "json", NULL};
/* In the order of enum config_store. */
static const char *const config_stores[] = {"sqlite", "postgresql", NULL};
/* In the order of enum config_communities. */
static const char *const config_communities[] = {"project", "organisation", NULL};
/* In the order of enum config_tls_version and enum tls_clients. */
static const char *const config_tls_versions[] = {"1.2", "1.3", NULL};
static const char *const config_tls_clients[] = {"off", "optional", "required", NULL};
/* In the order of enum config_http. */
static const char *const config_https[] = {"1.1", "2", NULL};
/* In the order of enum config_image_provider. */
static const char *const config_providers[] = {"auto", "none", "openai", NULL};

static const struct config_key config_table[] = {
    {"listen", CONFIG_ADDRESSES, AT(listen), .fallback = "127.0.0.1:3000",
	.restart = true, .help = "Where clients connect: `127.0.0.1:3000`, `[::1]:3000`, `unix:/path`, or a list of "
	    "these. Port 0 picks a free one."},
    {"admin_listen", CONFIG_ADDRESS, .offset = offsetof(struct config, admin_listen),
	.given = offsetof(struct config, admin_listen_given), .fallback = "127.0.0.1:3001",
	.restart = true, .help = "Where a page, health and unsettled writes are shown; `off` for nowhere. Beyond this "
	    "machine it needs a client with `admin: true`. The default moves to a free port when its "
	    "own is taken."},
    {"listen_without_tokens", CONFIG_BOOL, AT(listen_without_tokens), .fallback = "false",
	.help = "`true` allows `listen` addresses that other machines can reach although there are no "
	    "`clients`: whoever reaches them uses the key."},
    {"socket_mode", CONFIG_MODE, AT(socket_mode), .fallback = "0600", .restart = true,
	.help = "Permissions of the files of local sockets (`unix:`), also of `admin_listen`: who can write "
	    "may connect."},
    {"trusted_proxies", CONFIG_NETWORKS, AT(trusted_proxies), .fallback = "[]",
	.help = "Who may say in `Forwarded` or `X-Forwarded-For`, `-Proto` and `-Host` for whom a "
	    "request is: addresses, ranges such as `10.0.0.0/8`, or `unix` for local sockets."},
    {"proxy_protocol", CONFIG_NETWORKS, AT(proxy_protocol), .fallback = "[]",
	.help = "Whose connections to `listen` begin with a header of the PROXY protocol, version 1 "
	    "or 2, which names the client; written as `trusted_proxies`."},
    {"data_dir", CONFIG_PATH, AT(data_dir), .fallback = "./data",
	.restart = true, .help = "The folder of the store, beside the file unless it is absolute."},
    {"workers", CONFIG_COUNT, AT(workers), .fallback = "1", .min = 1, .max = CONFIG_WORKERS_MAX,
	.restart = true, .help = "How many event loops serve clients, each in a thread of its own; "
	    "`auto`: one for each core that the process may use."},
    {"allowed_hosts", CONFIG_HOSTS, AT(allowed_hosts), .fallback = "[]",
	.help = "Names that the `Host` of a request may hold besides the loopback ones, without "
	    "ports."},
    {"clients", CONFIG_CLIENTS, UNSTORED,
	.help = "Who may use the gateway, each with a token; `persona-gateway token NAME` makes one. "
	    "Left out: whoever can connect."},
    {"clients.*.name", CONFIG_NAME, IN_CLIENT(name),
	.help = "The client in logs and metrics; needed, and unlike every other."},
    {"clients.*.token_sha256", CONFIG_DIGEST, IN_CLIENT(digest),
	.help = "SHA-256 of the token as 64 hex digits. This or `token_file` is needed."},
    {"clients.*.token_file", CONFIG_SECRET_FILE, IN_CLIENT(token),
	.help = "A file that holds the token and nothing else."},
    {"clients.*.projects", CONFIG_IDS, IN_CLIENT(projects),
	.help = "The ids of the projects that the client may use, such as `[shop-bot]`; left out: "
	    "every project."},
    {"clients.*.read_only", CONFIG_BOOL, IN_CLIENT(read_only), .fallback = "false",
	.help = "`true` allows GET, HEAD and OPTIONS alone."},
    {"clients.*.passthrough", CONFIG_BOOL, IN_CLIENT(passthrough), .fallback = "false",
	.help = "`true` lets the client use `/v1/…` when `passthrough.bluejay` is on. Not together "
	    "with `projects`."},
    {"clients.*.admin", CONFIG_BOOL, IN_CLIENT(admin), .fallback = "false",
	.help = "`true` lets the client use the admin address, which then needs a token of such a "
	    "client. Not together with `projects`."},
    {"clients.*.rate.per_minute", CONFIG_INT, IN_CLIENT(rate_per_minute), .fallback = "0",
	.min = 0, .max = 1000000,
	.help = "How many requests the client may make in a minute; 0 sets no limit."},
    {"tls.certificate", CONFIG_FILE, AT(tls.certificate),
	.help = "The server's certificate (PEM), with those that lead to its authority behind it: "
	    "`listen` then speaks TLS ([TLS](#tls)). Read again when it changes."},
    {"tls.key", CONFIG_FILE, AT(tls.key),
	.help = "Its private key (PEM, not encrypted), which only the gateway should be able to read."},
    {"tls.min_version", CONFIG_ENUM, AT(tls.min_version), .fallback = "1.2",
	.choices = config_tls_versions, .help = "The oldest version of TLS that clients may speak."},
    {"tls.client_ca", CONFIG_FILE, AT(tls.client_ca),
	.help = "The authorities (PEM) whose signature makes a client's certificate valid."},
    {"tls.client_certificates", CONFIG_ENUM, .offset = offsetof(struct config, tls.client_certificates),
	.given = offsetof(struct config, tls.client_certificates_given), .choices = config_tls_clients,
	.help = "Whether clients show a certificate: `off`, `optional` (one that is shown must be "
	    "valid) or `required`, which it is when there is `client_ca`. A token is needed beside it."},
    {"cors.origins", CONFIG_ORIGINS, AT(cors.origins), .fallback = "[]",
	.help = "Origins whose web pages may use the gateway, such as `http://localhost:5173`, or "
	    "`\"*\"` alone for every one. Empty: none but the gateway's own."},
    {"cors.credentials", CONFIG_BOOL, AT(cors.credentials), .fallback = "false",
	.help = "`true` lets these pages send cookies and `Authorization` along; not with `\"*\"`."},
    {"cors.max_age", CONFIG_DURATION, AT(cors.max_age), .fallback = "10m", .min = 0,
	.max = 24 * HOUR,
	.help = "How long a browser may remember what a preflight was told, in whole seconds."},
    {"limits.body", CONFIG_SIZE, AT(limit_body), .fallback = "1MiB", .min = KIB, .max = 64 * MIB,
	.help = "The largest request body."},
    {"limits.head", CONFIG_SIZE, AT(limit_head), .fallback = "16KiB", .min = KIB, .max = MIB,
	.help = "The largest request line and header lines together."},
    {"limits.headers", CONFIG_INT, AT(limit_headers), .fallback = "100", .min = 10, .max = 1000,
	.help = "The most header lines of a request."},
    {"limits.connections", CONFIG_INT, AT(limit_connections), .fallback = "10000", .min = 1,
	.max = 1000000, .help = "The most client connections; further ones wait in the kernel."},
    {"limits.buffers", CONFIG_SIZE, AT(limit_buffers), .fallback = "256MiB", .min = MIB,
	.max = 64 * GIB,
	.help = "The most bytes of request bodies and unread answers that all connections hold "
	    "together; what goes beyond is answered with 503."},
    {"client_timeouts.head", CONFIG_DURATION, AT(client_head), .fallback = "10s", .min = 10 * MS,
	.max = HOUR,
	.help = "From the first byte of a request to the end of its header lines, however slowly "
	    "bytes arrive."},
    {"client_timeouts.body", CONFIG_DURATION, AT(client_body), .fallback = "30s", .min = 10 * MS,
	.max = HOUR,
	.help = "From the end of the header lines to the end of the body; for each 64 KiB of one "
	    "that is passed on or uploaded as an image."},
    {"client_timeouts.idle", CONFIG_DURATION, AT(client_idle), .fallback = "75s", .min = 10 * MS,
	.max = 24 * HOUR, .help = "How long a connection may wait for its next request."},
    {"drain", CONFIG_DURATION, AT(drain), .fallback = "30s", .min = 0, .max = HOUR,
	.help = "How long a stop waits for requests that are running."},
    {"log.level", CONFIG_ENUM, AT(log_level), .fallback = "info", .choices = config_levels,
	.help = "The least important lines that are written. Audit lines are written at every level."},
    {"log.format", CONFIG_ENUM, AT(log_format), .fallback = "auto", .choices = config_formats,
	.restart = true, .help = "`auto` is text on a terminal and JSON lines otherwise."},
    {"log.access", CONFIG_BOOL, AT(log_access), .fallback = "true",
	.help = "Whether each request has a line of its own. Writes have their audit line in any "
	    "case."},
    {"log.file", CONFIG_PATH, AT(log_file),
	.restart = true, .help = "A file to which the log is appended, instead of standard error; SIGUSR1 opens it "
	    "again after it was moved."},
    {"core_dumps", CONFIG_BOOL, AT(core_dumps), .fallback = "false",
	.help = "`true` allows core dumps of the process, and debuggers: what they show holds keys."},
    {"recording.requests", CONFIG_INT, AT(recording_requests), .fallback = "0", .min = 0,
	.max = 100000,
	.help = "How many requests are remembered in memory, with what they hold, for the admin "
	    "address and `explain --request`; 0 remembers nothing."},
    {"recording.size", CONFIG_SIZE, AT(recording_size), .fallback = "4MiB", .min = 64 * KIB,
	.max = GIB, .help = "The most memory that remembered requests take; the oldest go first."},
    {"bluejay.url", CONFIG_URL, AT(bluejay.url), .fallback = "https://api.getbluejay.ai",
	.restart = true, .help = "Where Bluejay's API is, up to but without `/v1`."},
    {"bluejay.api_key", CONFIG_SECRET, AT(bluejay.api_key),
	.help = "Bluejay's API key, best as `${BLUEJAY_API_KEY}`. This or `api_key_file` is "
	    "needed, except with `--sandbox`."},
    {"bluejay.api_key_file", CONFIG_SECRET_FILE, AT(bluejay.api_key),
	.help = "A file that holds the key and nothing else, instead of `api_key`."},
    {"bluejay.headers", CONFIG_HEADERS, AT(bluejay.headers), .fallback = "{}",
	.help = "Headers that every call to Bluejay's API carries, beside the gateway's own."},
    {"bluejay.forward_persona_headers", CONFIG_BOOL, AT(bluejay.forward_persona_headers),
	.fallback = "false",
	.help = "`true` sends a persona's own `headers` along with every call about it."},
    {"bluejay.timeouts.connect", CONFIG_DURATION, AT(bluejay.connect), .fallback = "5s",
	.min = 10 * MS, .max = 10 * MINUTE, .help = "Until a connection to Bluejay stands."},
    {"bluejay.timeouts.first_byte", CONFIG_DURATION, AT(bluejay.first_byte), .fallback = "15s",
	.min = 10 * MS, .max = 10 * MINUTE, .help = "Until an answer of Bluejay begins."},
    {"bluejay.timeouts.total", CONFIG_DURATION, AT(bluejay.total), .fallback = "30s",
	.min = 10 * MS, .max = HOUR, .help = "For one request of a client, with all tries and "
	    "waits."},
    {"bluejay.retries", CONFIG_INT, AT(bluejay.retries), .fallback = "3", .min = 1, .max = 10,
	.help = "Tries in all of a call that may be repeated; 1 never repeats."},
    {"bluejay.settle.grace", CONFIG_DURATION, AT(bluejay.settle_grace), .fallback = "15s",
	.min = 100 * MS, .max = HOUR,
	.help = "How long a persona must be missing upstream, after a create with an unclear "
	    "outcome, until it counts as not made. Longer than Bluejay takes to make and list "
	    "one."},
    {"bluejay.settle.keys", CONFIG_DURATION, AT(bluejay.settle_keys), .fallback = "24h",
	.min = MINUTE, .max = 720 * HOUR,
	.help = "How long an `Idempotency-Key` gives its first answer again."},
    {"bluejay.rate.per_minute", CONFIG_INT, AT(bluejay.rate_per_minute), .fallback = "0", .min = 0,
	.max = 1000000, .help = "The most calls to Bluejay in a minute; 0 sets no limit."},
    {"bluejay.proxy", CONFIG_PROXY, AT(bluejay.proxy),
	.help = "An HTTP proxy for calls to Bluejay. The environment's proxy is never used."},
    {"bluejay.ca_file", CONFIG_FILE, AT(bluejay.ca_file),
	.help = "Certificates (PEM) to trust instead of the system's."},
    {"bluejay.http", CONFIG_ENUM, AT(bluejay.http), .fallback = "1.1", .choices = config_https,
	.help = "The version of HTTP for calls to Bluejay that may be repeated; creates always use "
	    "1.1. With `2` a call whose answer is in 1.1 is repeated in 1.1, and so are all later "
	    "ones. 2 needs an `https` url and no `proxy`; else 1.1 is used."},
    {"bluejay.max_in_flight", CONFIG_INT, AT(bluejay.max_in_flight), .fallback = "256", .min = 1,
	.max = 10000, .help = "The most calls to Bluejay at one time; further ones wait."},
    {"bluejay.cache.fresh", CONFIG_DURATION, AT(bluejay.cache_fresh), .fallback = "2s", .min = 0,
	.max = HOUR, .help = "How long an answer is given again without asking Bluejay; 0s asks "
	    "every time."},
    {"bluejay.cache.stale_if_error", CONFIG_DURATION, AT(bluejay.cache_stale), .fallback = "1h",
	.min = 0, .max = 168 * HOUR,
	.help = "How long the last known copy answers reads while Bluejay is down; 0s never."},
    {"bluejay.cache.size", CONFIG_SIZE, AT(bluejay.cache_size), .fallback = "16MiB", .min = 0,
	.max = GIB, .help = "The memory that kept answers may take."},
    {"projects", CONFIG_PROJECTS, UNSTORED, .fallback = "{\"*\": {}}",
	.help = "The projects of the local API by their id. `\"*\"` is every other id; without "
	    "`\"*\"`, ids that are not listed answer 404."},
    {"projects.*.name", CONFIG_TEXT, IN_PROJECT(name),
	.help = "What `GET /api/projects` and the page of the admin address call the project; "
	    "without it, its id. Not for `\"*\"`."},
    {"projects.*.agent_id", CONFIG_INT, .offset = offsetof(struct config_project, agent_id),
	.given = offsetof(struct config_project, has_agent), .min = 1, .max = INT64_MAX,
	.help = "The Bluejay agent whose personas the project shows. Not for `\"*\"`."},
    {"projects.*.shared_agent", CONFIG_BOOL, IN_PROJECT(shared_agent), .fallback = "false",
	.help = "`true` in each of several projects lets them name the same agent: its personas "
	    "then belong to all of them."},
    {"projects.*.api_key", CONFIG_SECRET, IN_PROJECT(api_key),
	.help = "The key for this project, instead of `bluejay.api_key`."},
    {"projects.*.api_key_file", CONFIG_SECRET_FILE, IN_PROJECT(api_key),
	.help = "A file that holds the key for this project."},
    {"projects.*.mapping.persona", CONFIG_NODE, UNSTORED,
	.help = "What of `mapping.persona` differs for this project: entries by their key, null for "
	    "one that is left out."},
    {"projects.*.mapping.community", CONFIG_NODE, UNSTORED,
	.help = "What of `mapping.community` differs for this project. A resource of the file has "
	    "its own key beside it."},
    {"mapping.persona", CONFIG_NODE, UNSTORED,
	.help = "How a persona's local fields become Bluejay's and back: `fields`, `constants`, "
	    "`templates`, `kept_here`."},
    {"mapping.community", CONFIG_NODE, UNSTORED,
	.help = "The same for communities."},
    {"mapping_tests", CONFIG_NODES, UNSTORED,
	.help = "Tests of the mapping: what must become of a body. They run whenever the file is "
	    "read; one that fails is a mistake."},
    {"resources", CONFIG_NODE, UNSTORED,
	.help = "Further things that projects have in Bluejay, by the word that stands for them in "
	    "local paths ([resources.md](resources.md))."},
    {"communities.scope", CONFIG_ENUM, AT(communities_scope), .fallback = "project",
	.choices = config_communities,
	.help = "Which communities a project shows: `project` those that were created through it, "
	    "`organisation` every one that Bluejay lists, to be changed and deleted too."},
    {"images.provider", CONFIG_ENUM, AT(images.provider), .fallback = "auto",
	.choices = config_providers,
	.help = "Who draws portraits. `auto` is `openai` when there is a key for it, else `none`: "
	    "generate-image then answers 400."},
    {"images.api_key", CONFIG_SECRET, AT(images.api_key),
	.help = "OpenAI's API key, best as `${OPENAI_API_KEY}`."},
    {"images.api_key_file", CONFIG_SECRET_FILE, AT(images.api_key),
	.help = "A file that holds the key and nothing else, instead of `api_key`."},
    {"images.url", CONFIG_URL, AT(images.url), .fallback = "https://api.openai.com",
	.help = "Where the provider's API is, up to but without `/v1`."},
    {"images.model", CONFIG_WORD, AT(images.model), .fallback = "gpt-image-1",
	.help = "The model that draws."},
    {"images.size", CONFIG_WORD, AT(images.size), .fallback = "1024x1024",
	.help = "The size of a portrait, as the provider names it."},
    {"images.timeout", CONFIG_DURATION, AT(images.timeout), .fallback = "3m", .min = 100 * MS,
	.max = HOUR, .help = "For one portrait, from the request to the last byte of the picture."},
    {"images.max_in_flight", CONFIG_INT, AT(images.max_in_flight), .fallback = "4", .min = 1,
	.max = 100, .help = "The most portraits that are drawn at one time; further ones wait."},
    {"passthrough.bluejay", CONFIG_BOOL, AT(passthrough.bluejay), .fallback = "false",
	.help = "`true` passes every path under `/v1/` on to Bluejay, with the key."},
    {"passthrough.local", CONFIG_PROXY, AT(passthrough.local),
	.help = "The local tool's server, such as `http://127.0.0.1:3100`: everything that the "
	    "gateway does not serve itself goes there."},
    {"passthrough.mirror_personas", CONFIG_BOOL, AT(passthrough.mirror_personas),
	.fallback = "false",
	.restart = true, .help = "`true` keeps a twin of each persona in the local tool, so that its runs find it."},
    {"passthrough.timeouts.connect", CONFIG_DURATION, AT(passthrough.connect), .fallback = "5s",
	.min = 10 * MS, .max = 10 * MINUTE, .help = "Until a connection for the pass-through stands."},
    {"passthrough.timeouts.idle", CONFIG_DURATION, AT(passthrough.idle), .fallback = "10m",
	.min = 100 * MS, .max = 24 * HOUR,
	.help = "How long nothing may come or go in an exchange that is passed on. It may last as "
	    "long as it likes."},
    {"store.kind", CONFIG_ENUM, AT(store.kind), .fallback = "sqlite", .choices = config_stores,
	.restart = true, .help = "Where records are kept: in `data_dir`, or in a PostgreSQL database "
	    "that several gateways share ([PostgreSQL](operations.md#postgresql))."},
    {"store.url", CONFIG_SECRET, AT(store.url), .restart = true,
	.help = "The database, as `postgresql://user@host/database?sslmode=verify-full`, with the options "
	    "of libpq; it may name several hosts. Needed with `postgresql`, and never shown."},
    {"store.password_file", CONFIG_SECRET_FILE, AT(store.password), .restart = true,
	.help = "A file that holds the user's password and nothing else; it wins over one in the URL."},
    {"store.connections", CONFIG_INT, AT(store.connections), .fallback = "3", .min = 2, .max = 32,
	.restart = true, .help = "How many connections each event loop may have to PostgreSQL, one of "
	    "which writes; the process has one more."},
};

/* Gives the table. */
const struct config_key *
config_keys(size_t *count)
{
	*count = sizeof config_table / sizeof *config_table;
	return config_table;
}

/* Finds an entry. */
const struct config_key *
config_keys_find(const char *path)
{
	for (size_t i = 0; i < sizeof config_table / sizeof *config_table; i++)
		if (strcmp(config_table[i].path, path) == 0)
			return &config_table[i];
	return NULL;
}

/* Looks for entries below a path. */
bool
config_keys_section(const char *path)
{
	size_t len = strlen(path);

	if (len == 0)
		return true;
	for (size_t i = 0; i < sizeof config_table / sizeof *config_table; i++)
		if (strncmp(config_table[i].path, path, len) == 0 && config_table[i].path[len] ==
		    '.')
			return true;
	return false;
}

/* Names a type. */
const char *
config_keys_type(enum config_type type)
{
	static const char *const names[] = {[CONFIG_BOOL] = "true or false",
	    [CONFIG_INT] = "number", [CONFIG_COUNT] = "number or auto", [CONFIG_DURATION] = "duration", [CONFIG_SIZE] = "size",
	    [CONFIG_ENUM] = "choice", [CONFIG_WORD] = "word", [CONFIG_TEXT] = "text",
	    [CONFIG_PATH] = "path", [CONFIG_FILE] = "file",
	    [CONFIG_URL] = "URL", [CONFIG_PROXY] = "URL", [CONFIG_ADDRESS] = "address or off",
	    [CONFIG_ADDRESSES] = "address or list", [CONFIG_HOSTS] = "list of names",
	    [CONFIG_NETWORKS] = "list of ranges", [CONFIG_MODE] = "octal digits",
	    [CONFIG_ORIGINS] = "list of origins",
	    [CONFIG_SECRET] = "secret", [CONFIG_SECRET_FILE] = "file", [CONFIG_NAME] = "name",
	    [CONFIG_DIGEST] = "64 hex digits", [CONFIG_IDS] = "list of ids",
	    [CONFIG_HEADERS] = "map of headers", [CONFIG_PROJECTS] = "map",
	    [CONFIG_CLIENTS] = "list of maps",
	    [CONFIG_NODE] = "map", [CONFIG_NODES] = "list"};

	return names[type];
}
