#include "config.h"

#include "config/config_defaults.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct yaml_node *config_defaults_document;

/* Reads the text. */
static void
config_defaults_read(void)
{
	struct diag_list diags = {0};

	config_defaults_document = yaml_node_read("built-in", (const char *)defaults_yaml,
	    defaults_yaml_len, NULL, NULL, &diags);
	if (config_defaults_document != NULL)
		return;
	diag_print(&diags, stderr);
	abort();
}

/* The document. */
const struct yaml_node *
config_defaults(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, config_defaults_read);
	return config_defaults_document;
}
