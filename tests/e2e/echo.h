#ifndef ECHO_H
#define ECHO_H

/*
 * An upstream that shows in its answers whatever secret it was shown: the value of
 * X-API-Key, or of Authorization without its scheme. It runs in a thread of the test
 * process, and answers one request per connection.
 */
int echo_start(void); /* its port */

/* How it answers from now on, and what is asked below /v1/images: bytes as they go out, in
 * which every "%K" becomes the secret. They must live on. */
void echo_say(const char *answer, const char *images);

/* Requests so far that showed this secret. */
unsigned echo_count(const char *secret);

#endif
