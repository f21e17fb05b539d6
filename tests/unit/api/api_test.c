#include "config.h"

#include "api/range.h"
#include "api_test.h"

START_TEST(one_range_of_bytes_is_read)
{
	static const struct {
		const char *field;
		enum range want;
		int first, last;
	} rows[] = {
	    {"bytes=0-0", RANGE_PART, 0, 0}, {"bytes=0-", RANGE_PART, 0, 99},
	    {"bytes=10-19", RANGE_PART, 10, 19}, {"BYTES=90-200", RANGE_PART, 90, 99},
	    {"bytes=-1", RANGE_PART, 99, 99}, {"bytes=-500", RANGE_PART, 0, 99},
	    {"bytes=99-", RANGE_PART, 99, 99},
	    {"bytes=90-99999999999999999999999", RANGE_PART, 90, 99},
	    {"bytes=100-", RANGE_NONE_SUCH, 0, 0}, {"bytes=-0", RANGE_NONE_SUCH, 0, 0},
	    {"bytes=99999999999999999999999-", RANGE_NONE_SUCH, 0, 0},
	    {"bytes=5-4", RANGE_WHOLE, 0, 0}, {"bytes=0-1,5-6", RANGE_WHOLE, 0, 0},
	    {"bytes=", RANGE_WHOLE, 0, 0}, {"bytes=-", RANGE_WHOLE, 0, 0}, {"bytes=a-b",
	    RANGE_WHOLE, 0, 0},
	    {"bytes=1-2x", RANGE_WHOLE, 0, 0}, {"bytes= 1-2", RANGE_WHOLE, 0, 0},
	    {"items=0-1", RANGE_WHOLE, 0, 0}, {"", RANGE_WHOLE, 0, 0}, {NULL, RANGE_WHOLE, 0, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t first = -7, last = -7;

		ck_assert_msg(range_read(rows[i].field, 100, &first, &last) == rows[i].want, "%s",
		    rows[i].field);
		if (rows[i].want != RANGE_PART)
			continue;
		ck_assert_int_eq(first, rows[i].first);
		ck_assert_int_eq(last, rows[i].last);
	}
}
END_TEST

/* Tests of the API's pure parts. */
static Suite *
api_suite(void)
{
	const TTest *const tests[] = {one_range_of_bytes_is_read, NULL};

	return unit_suite("api", tests);
}

UNIT_MAIN(api_suite, client_suite, openapi_suite, pass_suite)
