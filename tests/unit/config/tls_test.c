#include "config.h"

#include "load_test.h"

#include "base/mem.h"
#include "certificate.h"
#include "config/config_tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST_SHA "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static char folder[64], cert_path[96], key_path[96], ca_path[96];

/* Writes a file that its owner alone may read. */
static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

/* Writes a certificate and its key. */
static void
put_pair(const struct certificate *c)
{
	put(cert_path, c->pem);
	put(key_path, c->key);
}

/* Makes the folder, and a good pair in it. */
static void
open_folder(struct certificate *c)
{
	strcpy(folder, "/tmp/config-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(cert_path, sizeof cert_path, "%s/cert.pem", folder);
	snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
	snprintf(ca_path, sizeof ca_path, "%s/ca.pem", folder);
	certificate_make(c, &(struct certificate_wish){0});
	put_pair(c);
}

/* Takes the folder away. */
static void
close_folder(struct certificate *c)
{
	certificate_free(c);
	unlink(cert_path);
	unlink(key_path);
	unlink(ca_path);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* A file with the pair, and more behind it. */
static char *
text(const char *in_section, const char *rest)
{
	return mem_format(KEY "tls: {certificate: %s, key: %s%s}\n%s", cert_path, key_path, in_section, rest);
}

/* Loads such a file. */
static struct config *
load_pair(const char *in_section, const char *rest, const char *warnings)
{
	char *file = text(in_section, rest);
	struct config *c = load(file, warnings);

	free(file);
	return c;
}

/* Wants one mistake that holds these words. */
static void
refuse_pair(const char *in_section, const char *words)
{
	static const char *const vars[] = {"KEY", "k3y", NULL};
	char *file = text(in_section, "");
	struct config_source source = {.file = "c.yaml", .text = file, .text_len = strlen(file),
	    .env = test_env, .env_arg = (void *)(uintptr_t)vars};
	struct diag_list diags = {0};

	ck_assert_ptr_null(config_load(&source, &diags));
	ck_assert_uint_eq(diags.errors, 1);
	ck_assert_int_eq(diags.items[0].line, 3);
	ck_assert_msg(strstr(diags.items[0].text, words) != NULL, "%s", diags.items[0].text);
	diag_free(&diags);
	free(file);
}

START_TEST(addresses_speak_tls_unless_they_say_otherwise)
{
	struct certificate cert;
	struct config *c;

	open_folder(&cert);
	c = load_pair("", "listen: [127.0.0.1:1, \"http://127.0.0.1:2\", \"https://[::1]:3\", \"unix:/s\"]\n", "");
	ck_assert_ptr_nonnull(c->tls.context);
	ck_assert_str_eq(c->listen[0], "https://127.0.0.1:1");
	ck_assert_str_eq(c->listen[1], "127.0.0.1:2");
	ck_assert_str_eq(c->listen[2], "https://[::1]:3");
	ck_assert_str_eq(c->listen[3], "unix:/s");
	ck_assert_str_eq(c->admin_listen, "127.0.0.1:3001"); /* of this machine alone */
	config_free(c);
	c = load_pair("", "admin_listen: https://127.0.0.1:4\n", "");
	ck_assert_str_eq(c->admin_listen, "https://127.0.0.1:4");
	config_free(c);
	c = load_pair("", "admin_listen: 0.0.0.0:4\nclients: [{name: a, admin: true, token_sha256: " TEST_SHA "}]\n", "");
	ck_assert_str_eq(c->admin_listen, "https://0.0.0.0:4");
	config_free(c);
	close_folder(&cert);
}
END_TEST

START_TEST(an_address_needs_a_certificate_to_speak_tls)
{
	refuse(KEY "listen: https://127.0.0.1:1\n", "c.yaml:3:9: https://127.0.0.1:1 is to speak TLS, and "
	    "there is no certificate; name one with \"tls: {certificate: FILE, key: FILE}\" in the file\n");
	refuse(KEY "admin_listen: https://127.0.0.1:1\n", "c.yaml:3:15: https://127.0.0.1:1 is to speak TLS, "
	    "and there is no certificate; name one with \"tls: {certificate: FILE, key: FILE}\" in the file\n");
	refuse(KEY "listen: https://unix:/s\n", "c.yaml:3:9: listen cannot have http:// or https:// before a "
	    "local socket, which speaks no TLS; leave it out\n");
	config_free(load(KEY "listen: http://127.0.0.1:1\ntls: {min_version: 1.3}\n", "c.yaml:4:20: warning: "
	    "tls.min_version does nothing without tls.certificate and tls.key: no address speaks TLS\n"));
	refuse(KEY "listen: [\"http://127.0.0.1:1\", 127.0.0.1:1]\n",
	    "c.yaml:3:32: 127.0.0.1:1 is in the list twice; keep one of them\n");
	refuse(KEY "listen: http://0.0.0.0:1\n", "c.yaml:3:9: other machines can reach 0.0.0.0:1, and there "
	    "are no clients: whoever connects would use the key; add \"clients\" to the file "
	    "(\"persona-gateway token NAME\" makes a token), listen on 127.0.0.1, or allow it with "
	    "\"listen_without_tokens: true\" in the file\n");
}
END_TEST

START_TEST(a_pair_must_be_one)
{
	struct certificate cert, other;

	open_folder(&cert);
	certificate_make(&other, &(struct certificate_wish){0});
	put(key_path, other.key);
	refuse_pair("", "the file of tls.key does not belong to tls.certificate");
	put(key_path, cert.pem);
	refuse_pair("", "the file of tls.key holds no private key in PEM form");
	put(key_path, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
	refuse_pair("", "the file of tls.key is encrypted");
	put_pair(&cert);
	put(cert_path, "nothing\n");
	refuse_pair("", "the file of tls.certificate holds no certificate in PEM form");
	put(cert_path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	refuse_pair("", "the file of tls.certificate holds a certificate that is broken");
	certificate_free(&other);
	certificate_make(&other, &(struct certificate_wish){.weak = true});
	put_pair(&other);
	refuse_pair("", "the file of tls.certificate holds a certificate that cannot be used: ");
	unlink(key_path);
	put(cert_path, cert.pem);
	refuse_pair("", "tls.key cannot be used: cannot read");
	certificate_free(&other);
	put_pair(&cert);
	close_folder(&cert);
}
END_TEST

START_TEST(a_section_is_whole)
{
	struct certificate cert;
	char *file;

	open_folder(&cert);
	file = mem_format(KEY "tls: {certificate: %s}\n", cert_path);
	refuse(file, "c.yaml:3:6: tls.key is missing; TLS needs both tls.certificate and tls.key, the names of "
	    "PEM files\n");
	free(file);
	refuse(KEY "tls: {client_certificates: required}\n", "c.yaml:3:28: tls.client_certificates needs "
	    "tls.client_ca, the certificates (PEM) of the authorities that sign clients' certificates\n");
	close_folder(&cert);
}
END_TEST

START_TEST(an_authority_means_that_certificates_are_required)
{
	static const struct {
		const char *more;
		enum tls_clients clients;
	} cases[] = {{"", TLS_CLIENTS_REQUIRED}, {", client_certificates: optional", TLS_CLIENTS_OPTIONAL},
	    {", client_certificates: off", TLS_CLIENTS_OFF}};
	struct certificate cert, ca;
	struct config *c;
	char *more;

	open_folder(&cert);
	certificate_make(&ca, &(struct certificate_wish){.name = "authority", .authority = true});
	put(ca_path, ca.pem);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		more = mem_format(", client_ca: %s%s", ca_path, cases[i].more);
		c = load_pair(more, "", "");
		ck_assert_int_eq(c->tls.client_certificates, cases[i].clients);
		config_free(c);
		free(more);
	}
	put(ca_path, "nothing");
	more = mem_format(", client_ca: %s", ca_path);
	refuse_pair(more, "the file of tls.client_ca holds no certificate in PEM form");
	free(more);
	certificate_free(&ca);
	close_folder(&cert);
}
END_TEST

START_TEST(what_is_out_of_its_time_is_warned_of)
{
	struct certificate cert, old;
	char *warning;

	open_folder(&cert);
	certificate_make(&old, &(struct certificate_wish){.from_s = -7200, .to_s = -3600});
	put_pair(&old);
	warning = mem_format("c.yaml:3:20: warning: the file of tls.certificate holds one that has expired; "
	    "clients will refuse it\n");
	config_free(load_pair("", "", warning));
	free(warning);
	put_pair(&cert);
	ck_assert_int_eq(chmod(key_path, 0640), 0);
	warning = mem_format("c.yaml:3:%zu: warning: tls.key names a file that other users may read (mode "
	    "0640); take the right away with chmod 600\n", strlen("tls: {certificate: ") + strlen(cert_path) +
	    strlen(", key: ") + 1);
	config_free(load_pair("", "", warning));
	free(warning);
	certificate_free(&old);
	close_folder(&cert);
}
END_TEST

START_TEST(a_reload_keeps_what_is_better)
{
	struct diag_list diags = {0};
	struct certificate cert, old, next;
	struct config *running, *now;
	struct tls_context *context;

	open_folder(&cert);
	running = load_pair("", "", "");
	context = running->tls.context;
	now = load_pair("", "drain: 1s\n", "");
	ck_assert_ptr_ne(now->tls.context, context);
	config_tls_keep(now, running, &diags);
	ck_assert_ptr_eq(now->tls.context, context); /* nothing has changed */
	config_free(now);
	now = load(KEY, "");
	config_tls_keep(now, running, &diags);
	ck_assert_ptr_eq(now->tls.context, context); /* the addresses still need it */
	config_free(now);
	certificate_make(&next, &(struct certificate_wish){.name = "next.example"});
	put_pair(&next);
	now = load_pair("", "", "");
	config_tls_keep(now, running, &diags);
	ck_assert_ptr_ne(now->tls.context, context);
	ck_assert_uint_eq(diags.errors, 0);
	config_free(now);
	certificate_make(&old, &(struct certificate_wish){.from_s = 3600, .to_s = 7200});
	put_pair(&old);
	now = load_pair("", "", "c.yaml:3:20: warning: the file of tls.certificate holds one that is not valid "
	    "yet; clients will refuse it\n");
	config_tls_keep(now, running, &diags);
	ck_assert_uint_eq(diags.errors, 1);
	config_free(running);
	running = now; /* with one that is no good anyway, anything may come */
	put_pair(&cert);
	now = load_pair("", "", "");
	config_tls_keep(now, running, &diags);
	ck_assert_uint_eq(diags.errors, 1);
	config_free(now);
	config_free(running);
	diag_free(&diags);
	certificate_free(&old);
	certificate_free(&next);
	close_folder(&cert);
}
END_TEST

/* The suite. */
Suite *
tls_suite(void)
{
	const TTest *const tests[] = {
	    addresses_speak_tls_unless_they_say_otherwise,
	    an_address_needs_a_certificate_to_speak_tls,
	    a_pair_must_be_one,
	    a_section_is_whole,
	    an_authority_means_that_certificates_are_required,
	    what_is_out_of_its_time_is_warned_of,
	    a_reload_keeps_what_is_better,
	    NULL,
	};

	return unit_suite("tls", tests);
}
