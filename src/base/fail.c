#include "config.h"

#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>

/* Keeps the sentence. */
int
fail_set(struct fail *f, const char *fmt, ...)
{
	va_list ap;

	if (f == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	return -1;
}
