#include "config.h"

#include "api/client_pass.h"
#include "api/client_gate.h"
#include "base/octet.h"

#include <string.h>

static const char client_pass_projects[] = "/api/projects";

/* Decodes the byte at *p and moves on; -1 for an escape that is none. */
static int
client_pass_byte(const char **p)
{
	int high, low;

	if (**p != '%')
		return (unsigned char)*(*p)++;
	if ((high = octet_hex((*p)[1])) < 0 || (low = octet_hex((*p)[2])) < 0)
		return -1;
	*p += 3;
	return high << 4 | low;
}

/* Whether everybody reads a path in the same way: no segments that are empty or begin
 * with a dot, and nothing escaped or odd that some take for the end of a segment. */
static bool
client_pass_plain(const char *path)
{
	for (const char *p = path; *p != '\0';) {
		bool escaped = *p == '%';
		int c = client_pass_byte(&p);

		if (c < 0x20 || c == 0x7f || c == '\\' || c == ';' || c == 0xc0 || c == 0xc1)
			return false; /* 0xc0 and 0xc1 begin what old decoders take for ASCII */
		if (escaped && (c == '/' || c == '.' || c == '%'))
			return false;
		if (c == '/' && (*p == '/' || *p == '.'))
			return false;
	}
	return true;
}

/* Decodes the segment after /api/projects/; false when the path has none, or not plainly. */
bool
client_pass_project(const char *path, char project[CLIENT_PASS_PROJECT_SIZE])
{
	size_t n = 0;

	if (strncmp(path, client_pass_projects, sizeof client_pass_projects - 1) != 0 ||
	    path[sizeof client_pass_projects - 1] != '/' || !client_pass_plain(path))
		return false;
	for (path += sizeof client_pass_projects; *path != '\0' && *path != '/';) {
		if (n == CLIENT_PASS_PROJECT_SIZE - 1)
			return false;
		project[n++] = (char)client_pass_byte(&path);
	}
	project[n] = '\0';
	return n > 0;
}

/* Tells what a client may. */
enum client_pass
client_pass(const struct config_client *who, enum pass_owner owner, const char *path)
{
	char project[CLIENT_PASS_PROJECT_SIZE];

	if (who == NULL)
		return CLIENT_PASS_MAY;
	if (owner == PASS_BLUEJAY)
		return who->passthrough ? CLIENT_PASS_MAY : CLIENT_PASS_NO_BLUEJAY;
	if (who->projects == NULL)
		return CLIENT_PASS_MAY;
	if (strcmp(path, client_pass_projects) == 0)
		return CLIENT_PASS_OWN; /* the tool would list every project */
	if (!client_pass_project(path, project))
		return CLIENT_PASS_OUTSIDE;
	return client_gate_project(who, project) ? CLIENT_PASS_MAY : CLIENT_PASS_NO_PROJECT;
}
