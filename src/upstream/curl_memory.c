#include "config.h"

#include "upstream/curl_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Wipes and frees. */
static void
curl_memory_free(void *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* Gives bytes other memory, and wipes where they were. */
static void *
curl_memory_resize(void *old, size_t size)
{
	size_t before = old != NULL ? malloc_usable_size(old) : 0;
	void *p;

	if (old != NULL && size > 0 && size <= before && size > before / 2)
		return old;
	p = malloc(size > 0 ? size : 1);
	if (p == NULL)
		return NULL;
	if (old != NULL)
		memcpy(p, old, before < size ? before : size);
	curl_memory_free(old);
	return p;
}

/* Prepares libcurl. */
CURLcode
curl_memory_init(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, curl_memory_free, curl_memory_resize,
	    strdup, calloc);
}
