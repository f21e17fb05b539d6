#include "config.h"

#include "fuzz.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "json_piece_check.h"

#include <stdlib.h>
#include <string.h>

/* Ends the run when something does not hold. */
static void
json_fuzz_expect(bool holds)
{
	if (!holds)
		abort();
}

/* What is accepted, printed and read again is equal and prints the same; what
 * is refused says why and where. Pieces say of a text what its tree says. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *value, *again, *copy;
	struct json_error err = {(size_t)-1, ""};
	char *text, *text_again;
	size_t len, len_again;

	json_fuzz_expect(json_piece_check((const char *)data, size));
	if (!json_read((const char *)data, size, &value, &err)) {
		json_fuzz_expect(value == NULL && err.offset <= size && err.text[0] != '\0');
		return 0;
	}
	text = json_print(value, &len);
	json_fuzz_expect(json_read(text, len, &again, NULL));
	json_fuzz_expect(json_equal(value, again) && json_equal(again, value));
	text_again = json_print(again, &len_again);
	json_fuzz_expect(len == len_again && memcmp(text, text_again, len) == 0);
	copy = json_copy(value);
	json_object_put(value);
	json_fuzz_expect(json_equal(copy, again));
	json_object_put(copy);
	json_object_put(again);
	free(text);
	free(text_again);
	return 0;
}
