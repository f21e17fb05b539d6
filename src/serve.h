#ifndef SERVE_H
#define SERVE_H

#include <stdbool.h>
#include <stddef.h>

/* What the command line says about `serve`; it wins over the file. */
struct serve_options {
	const char *config;       /* NULL: defaults (needs sandbox) */
	bool sandbox;
	bool rebind;
	const char *listen;       /* NULL: the file's */
	const char *admin_listen; /* NULL: the file's */
	const char *data_dir;     /* NULL: the file's; with sandbox, memory when the file has none */
};

/* Runs the gateway until SIGTERM or SIGINT, then drains. Returns the exit code. */
int serve(const struct serve_options *);

#endif
