#include "config.h"

#include "config/config_tls.h"

#include "base/mem.h"
#include "config/config_address.h"
#include "config/config_file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONFIG_TLS_FILE_MAX ((size_t)1 << 20)
#define CONFIG_TLS_SCHEME "https://"

/* The section on its way. */
struct config_tls_reading {
	struct config *config;
	struct diag_list *diags;
	const struct yaml_node *section;
	struct config_file certificate, key, client_ca;
};

/* Notes a mistake, or a warning, at a key of the section. */
#define TLS_NOTE(note, r, name, ...)                                                          \
	do {                                                                                  \
		const struct yaml_node *at = yaml_node_get((r)->section, (name));             \
                                                                                              \
		at = at != NULL ? at : (r)->section;                                          \
		note((r)->diags, at->file, at->line, at->column, __VA_ARGS__);                \
	} while (0)

/* Whether an address speaks TLS. */
bool
config_tls_speaks(const char *address)
{
	return strncmp(address, CONFIG_TLS_SCHEME, sizeof CONFIG_TLS_SCHEME - 1) == 0;
}

/* ---- the files ---- */

/* Reads one file; false with a mistake. One that cannot be read at all was refused. */
static bool
config_tls_read(struct config_tls_reading *r, const char *name, const char *path,
    struct config_file *file)
{
	struct fail why;

	if (config_file_read(path, true, CONFIG_TLS_FILE_MAX, file, &why) != 0)
		TLS_NOTE(diag_add, r, name, "tls.%s cannot be used: cannot read %s: %s", name, path, why.text);
	else if (file->len > CONFIG_TLS_FILE_MAX || strlen(file->text) != file->len)
		TLS_NOTE(diag_add, r, name, "tls.%s names a file that is no PEM text: %s", name, path);
	else
		return true;
	return false;
}

/* Reads the files that the section names. */
static bool
config_tls_read_all(struct config_tls_reading *r)
{
	const struct config *c = r->config;
	bool good = config_tls_read(r, "certificate", c->tls.certificate, &r->certificate);

	good = config_tls_read(r, "key", c->tls.key, &r->key) && good;
	if (c->tls.client_ca != NULL)
		good = config_tls_read(r, "client_ca", c->tls.client_ca, &r->client_ca) && good;
	if (good && (r->key.mode & 044) != 0)
		TLS_NOTE(diag_warn, r, "key", "tls.key names a file that other users may read (mode %04o); "
		    "take the right away with chmod 600", r->key.mode);
	return good;
}

/* Makes the context of what was read. */
static void
config_tls_make(struct config_tls_reading *r)
{
	static const char *const names[] = {[TLS_PART_CERTIFICATE] = "certificate", [TLS_PART_KEY] = "key",
	    [TLS_PART_CLIENT_CA] = "client_ca"};
	struct config *c = r->config;
	struct tls_settings settings = {
	    .certificate = r->certificate.text,
	    .key = r->key.text,
	    .client_ca = r->client_ca.text,
	    .clients = (enum tls_clients)c->tls.client_certificates,
	    .only_1_3 = c->tls.min_version == CONFIG_TLS_1_3,
	};
	enum tls_part part;
	struct fail why;

	c->tls.context = tls_context_new(&settings, &part, &why);
	if (c->tls.context == NULL)
		TLS_NOTE(diag_add, r, names[part], "the file of tls.%s %s", names[part], why.text);
}

/* What is wrong with the time of a certificate now; NULL when nothing is. */
static const char *
config_tls_untimely(const struct tls_context *tls)
{
	int64_t now = (int64_t)time(NULL);

	if (now >= tls_context_expires(tls))
		return "has expired";
	return now < tls_context_begins(tls) ? "is not valid yet" : NULL;
}

/* ---- the section ---- */

/* Decides whether clients need certificates: an authority without a word means so. */
static bool
config_tls_decide_clients(struct config_tls_reading *r)
{
	struct config *c = r->config;

	if (c->tls.client_ca != NULL && !c->tls.client_certificates_given)
		c->tls.client_certificates = TLS_CLIENTS_REQUIRED;
	if (c->tls.client_ca != NULL || c->tls.client_certificates == TLS_CLIENTS_OFF ||
	    yaml_node_get(r->section, "client_ca") != NULL)
		return true;
	TLS_NOTE(diag_add, r, "client_certificates", "tls.client_certificates needs tls.client_ca, the "
	    "certificates (PEM) of the authorities that sign clients' certificates");
	return false;
}

/* Whether a certificate is asked for at all: the other keys have defaults. */
static bool
config_tls_wanted(const struct config_tls_reading *r)
{
	return yaml_node_get(r->section, "certificate") != NULL || yaml_node_get(r->section, "key") != NULL ||
	    yaml_node_get(r->section, "client_ca") != NULL;
}

/* Whether the section is whole; notes what is missing. What is there but wrong was refused. */
static bool
config_tls_whole(struct config_tls_reading *r)
{
	static const char *const names[] = {"certificate", "key"};
	const struct config *c = r->config;
	bool whole = config_tls_decide_clients(r);

	if (!config_tls_wanted(r) && c->tls.min_version == CONFIG_TLS_1_3) /* the other one is the sample's */
		TLS_NOTE(diag_warn, r, "min_version", "tls.min_version does nothing without tls.certificate and "
		    "tls.key: no address speaks TLS");
	for (size_t i = 0; config_tls_wanted(r) && i < sizeof names / sizeof *names; i++) {
		if (yaml_node_get(r->section, names[i]) != NULL)
			continue;
		TLS_NOTE(diag_add, r, names[i], "tls.%s is missing; TLS needs both tls.certificate and "
		    "tls.key, the names of PEM files", names[i]);
	}
	return whole && c->tls.certificate != NULL && c->tls.key != NULL && yaml_node_sound(r->section);
}

/* Reads the section. */
static void
config_tls_read_section(struct config *config, struct diag_list *diags)
{
	struct config_tls_reading r = {config, diags, yaml_node_get(config->document, "tls"), {0}, {0},
	    {0}};
	const char *untimely;

	if (r.section == NULL || r.section->kind != YAML_MAP || !config_tls_whole(&r))
		return;
	if (config_tls_read_all(&r))
		config_tls_make(&r);
	config_file_free(&r.certificate);
	config_file_free(&r.key);
	config_file_free(&r.client_ca);
	if (config->tls.context == NULL)
		return;
	untimely = config_tls_untimely(config->tls.context);
	if (untimely != NULL)
		TLS_NOTE(diag_warn, &r, "certificate", "the file of tls.certificate holds one that %s; clients "
		    "will refuse it", untimely);
}

/* Writes the scheme of one address: none for plain HTTP. */
static void
config_tls_mark(char **address, bool secure)
{
	const char *bare = config_address_bare(*address);
	char *marked;

	if (bare != *address)
		secure = config_tls_speaks(*address);
	if (strncmp(bare, "unix:", 5) == 0)
		secure = false;
	marked = mem_format("%s%s", secure ? CONFIG_TLS_SCHEME : "", bare);
	free(*address);
	*address = marked;
}

/* Reads certificate and key, and marks the addresses. */
void
config_tls_load(struct config *config, struct diag_list *diags)
{
	char *admin = config->admin_listen;
	bool outside = admin != NULL && config_address_reach(config_address_bare(admin), NULL) ==
	    CONFIG_REACH_OUTSIDE;

	config_tls_read_section(config, diags);
	for (char **l = config->listen; *l != NULL; l++)
		config_tls_mark(l, config->tls.context != NULL);
	if (admin != NULL)
		config_tls_mark(&config->admin_listen, config->tls.context != NULL && outside);
}

/* ---- a reload ---- */

/* Whether an address that stays speaks TLS. */
static bool
config_tls_needed(const struct config *config)
{
	bool needed = config->admin_listen != NULL && config_tls_speaks(config->admin_listen);

	for (char **l = config->listen; *l != NULL; l++)
		needed |= config_tls_speaks(*l);
	return needed;
}

/* Keeps what runs. */
void
config_tls_keep(struct config *now, const struct config *running, struct diag_list *diags)
{
	struct tls_context *before = running->tls.context;
	struct config_tls_reading r = {.diags = diags, .section = yaml_node_get(now->document, "tls")};
	const char *untimely;

	if (before == NULL)
		return;
	if (now->tls.context == NULL) {
		now->tls.context = config_tls_needed(running) ? tls_context_ref(before) : NULL;
		return;
	}
	if (tls_context_same(now->tls.context, before)) {
		tls_context_unref(now->tls.context);
		now->tls.context = tls_context_ref(before);
		return;
	}
	untimely = config_tls_untimely(now->tls.context);
	if (untimely != NULL && config_tls_untimely(before) == NULL)
		TLS_NOTE(diag_add, &r, "certificate", "the file of tls.certificate holds one that %s, and does "
		    "not take the place of the one in use, which is valid", untimely);
}
