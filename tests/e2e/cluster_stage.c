#include "config.h"

#include "cluster_stage.h"
#include "stage.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLUSTER_DATABASE "gateway"

struct program cluster_gateways[CLUSTER_MAX];
struct postgres *cluster_database, *cluster_standby;
static unsigned cluster_count;
static char cluster_config[256];

/* Starts a gateway. */
void
cluster_start(unsigned gateway)
{
	const char *const args[] = {"serve", "--config", cluster_config, "--listen", "127.0.0.1:0",
	    "--admin-listen", "127.0.0.1:0", NULL};

	program_start(&cluster_gateways[gateway], args);
}

/* Kills it. */
void
cluster_kill(unsigned gateway)
{
	program_kill(&cluster_gateways[gateway]);
}

/* Ends it. */
void
cluster_stop(unsigned gateway)
{
	ck_assert_int_eq(program_stop(&cluster_gateways[gateway]), 0);
}

/* Writes the file that all of them have. */
static void
cluster_configure(const char *more)
{
	snprintf(cluster_config, sizeof cluster_config, "%s",
	    scratch_file("cluster.yaml",
	        "store: {kind: postgresql, url: '%s'}\n"
	        "bluejay:\n  url: %s\n  api_key: sandbox\n"
	        "  timeouts: {connect: 1s, first_byte: 1s, total: 5s}\n"
	        "  settle: {grace: 300ms}\n"
	        "projects:\n  demo: {agent_id: %d}\n  plain: {}\n%s",
	        postgres_url(cluster_database, cluster_standby, CLUSTER_DATABASE),
	        stage_sandbox.url[0], STAGE_AGENT, more != NULL ? more : ""));
}

/* Starts everything. */
void
cluster_open(unsigned gateways, bool standby, const char *more)
{
	const char *const args[] = {"sandbox", NULL};

	program_start(&stage_sandbox, args);
	cluster_database = postgres_new(&(struct postgres_options){.password = "s3cret"});
	postgres_make(cluster_database, CLUSTER_DATABASE);
	cluster_standby = standby ? postgres_standby(cluster_database, true) : NULL;
	cluster_count = gateways;
	cluster_configure(more);
	for (unsigned g = 0; g < gateways; g++)
		cluster_start(g);
}

/* Ends everything. */
void
cluster_close(void)
{
	for (unsigned g = 0; g < cluster_count; g++)
		cluster_stop(g);
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
	postgres_free(cluster_standby);
	postgres_free(cluster_database);
	cluster_database = cluster_standby = NULL;
}

/* Asks one. */
struct reply *
cluster_call(unsigned gateway, const char *method, const char *path, const char *fields,
    const char *body)
{
	return ask(cluster_gateways[gateway].port, method, path, fields, body);
}

/* Sends to one. */
int
cluster_send(unsigned gateway, const char *method, const char *path, const char *fields,
    const char *body)
{
	int fd = raw_connect(cluster_gateways[gateway].port), n;
	char head[4096];

	n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method, path,
	    fields != NULL ? fields : "", strlen(body), body);
	raw_send(fd, head, (size_t)n);
	return fd;
}

/* Asks for readiness. */
int
cluster_ready(unsigned gateway)
{
	return ask(cluster_gateways[gateway].admin_port, "GET", "/readyz", NULL, NULL)->status;
}
