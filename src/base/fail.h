#ifndef BASE_FAIL_H
#define BASE_FAIL_H

/*
 * Why something failed, as a sentence for the person who has to mend it.
 * Functions that take a struct fail * fill it only when they fail.
 */
struct fail {
	char text[512];
};

/* Writes the sentence (cut when too long) and returns -1, so that a caller may
 * `return fail_set(…)`. A NULL fail is allowed. */
int fail_set(struct fail *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
