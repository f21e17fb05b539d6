#include "config.h"

#include "store/postgres_hosts.h"
#include "base/mem.h"
#include "base/thread.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSTGRES_HOSTS_MAX 32            /* addresses */
#define POSTGRES_HOSTS_STACK (256 << 10) /* bytes of the thread's stack */

struct postgres_hosts {
	char *names, *addresses, *ports; /* lists of the URL */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t more;
	bool stop, wanted;
	struct postgres_host known[POSTGRES_HOSTS_MAX];
	size_t count, good;
};

/* Copies the nth word of a list with commas; the only one stands for every n, and beyond
 * its end it is empty. */
static void
postgres_hosts_word(const char *list, size_t n, char *out, size_t size)
{
	size_t len;

	if (strchr(list, ',') == NULL)
		n = 0;
	for (; n > 0 && *list != '\0'; n--) {
		list += strcspn(list, ",");
		list += *list == ',';
	}
	len = strcspn(list, ",");
	if (len >= size)
		len = size - 1;
	memcpy(out, list, len);
	out[len] = '\0';
}

/* How many words a list has. */
static size_t
postgres_hosts_words(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* Adds the addresses of a name, for a connection to this port. */
static size_t
postgres_hosts_add(struct postgres_host *list, size_t count, const struct postgres_host *h)
{
	struct addrinfo want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;

	if (getaddrinfo(h->name, NULL, &want, &found) != 0)
		return count;
	for (const struct addrinfo *a = found; a != NULL && count < POSTGRES_HOSTS_MAX;
	    a = a->ai_next) {
		list[count] = *h;
		if (getnameinfo(a->ai_addr, a->ai_addrlen, list[count].address,
		    sizeof list[count].address, NULL, 0, NI_NUMERICHOST) == 0)
			count++;
	}
	freeaddrinfo(found);
	return count;
}

/* Looks everything up; may take seconds. */
static size_t
postgres_hosts_look(const struct postgres_hosts *hosts, struct postgres_host *list)
{
	size_t words = postgres_hosts_words(hosts->names), count = 0;

	if (postgres_hosts_words(hosts->addresses) > words)
		words = postgres_hosts_words(hosts->addresses);
	for (size_t i = 0; i < words && count < POSTGRES_HOSTS_MAX; i++) {
		struct postgres_host h = {"", "", ""};

		postgres_hosts_word(hosts->names, i, h.name, sizeof h.name);
		postgres_hosts_word(hosts->addresses, i, h.address, sizeof h.address);
		postgres_hosts_word(hosts->ports, i, h.port, sizeof h.port);
		if (h.address[0] != '\0' || h.name[0] == '\0' || h.name[0] == '/' || h.name[0] == '@')
			list[count++] = h;
		else
			count = postgres_hosts_add(list, count, &h);
	}
	return count;
}

/* The thread: looks up when that is wanted. What was known stays when nothing is found. */
static void *
postgres_hosts_thread(void *arg)
{
	struct postgres_hosts *h = arg;
	struct postgres_host list[POSTGRES_HOSTS_MAX];
	size_t count;

	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		if (!h->wanted) {
			pthread_cond_wait(&h->more, &h->lock);
			continue;
		}
		h->wanted = false;
		pthread_mutex_unlock(&h->lock);
		count = postgres_hosts_look(h, list);
		pthread_mutex_lock(&h->lock);
		if (count > 0 && (count != h->count ||
		    memcmp(list, h->known, count * sizeof *list) != 0)) {
			memcpy(h->known, list, count * sizeof *list);
			h->count = count;
			h->good = 0;
		}
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* Starts the thread. */
static int
postgres_hosts_start(struct postgres_hosts *h, struct fail *f)
{
	int rc = thread_start(&h->thread, POSTGRES_HOSTS_STACK, postgres_hosts_thread, h);

	if (rc != 0)
		return fail_set(f, "the store's thread cannot be started: %s", strerror(rc));
	h->running = true;
	return 0;
}

/* Looks the names up and starts the thread. */
struct postgres_hosts *
postgres_hosts_new(const struct postgres_url *url, struct fail *f)
{
	struct postgres_hosts *h = mem_zero(1, sizeof *h);

	h->names = mem_string(postgres_url_option(url, "host"));
	h->addresses = mem_string(postgres_url_option(url, "hostaddr"));
	h->ports = mem_string(postgres_url_option(url, "port"));
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->more, NULL);
	h->count = postgres_hosts_look(h, h->known);
	if (h->count == 0)
		fail_set(f, "no address of %s is known: is the name right in store.url?",
		    postgres_url_where(url));
	if (h->count > 0 && postgres_hosts_start(h, f) == 0)
		return h;
	postgres_hosts_free(h);
	return NULL;
}

/* Ends the thread, which may be waiting for a name server, and frees. */
void
postgres_hosts_free(struct postgres_hosts *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	if (h->running)
		pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->lock);
	free(h->names);
	free(h->addresses);
	free(h->ports);
	free(h);
}

/* How many are known. */
size_t
postgres_hosts_count(struct postgres_hosts *h)
{
	size_t count;

	pthread_mutex_lock(&h->lock);
	count = h->count;
	pthread_mutex_unlock(&h->lock);
	return count;
}

/* The nth. */
void
postgres_hosts_get(struct postgres_hosts *h, size_t n, struct postgres_host *out)
{
	pthread_mutex_lock(&h->lock);
	*out = h->known[(h->good + n) % h->count];
	pthread_mutex_unlock(&h->lock);
}

/* Notes one that is good. */
void
postgres_hosts_good(struct postgres_hosts *h, const struct postgres_host *host)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->count; i++)
		if (memcmp(&h->known[i], host, sizeof *host) == 0)
			h->good = i;
	pthread_mutex_unlock(&h->lock);
}

/* Has the names looked up again. */
void
postgres_hosts_refresh(struct postgres_hosts *h)
{
	pthread_mutex_lock(&h->lock);
	h->wanted = true;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
}
