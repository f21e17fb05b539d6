#include "config.h"

#include "core_test.h"
#include "core/image_type.h"

#include <string.h>

/* The media type of bytes that begin so and have this length; "" for none. */
static const char *
type_of(const char *begin, size_t begin_len, size_t len)
{
	char bytes[64] = {0};
	const struct image_type *t;

	memcpy(bytes, begin, begin_len);
	t = image_type_of(bytes, len);
	return t != NULL ? t->media : "";
}

START_TEST(images_are_told_by_their_bytes)
{
	ck_assert_str_eq(type_of("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, 64), "image/png");
	ck_assert_str_eq(type_of("\xff\xd8\xff\xe0", 4, 64), "image/jpeg");
	ck_assert_str_eq(type_of("RIFF\1\2\3\4WEBPVP8L", 16, 64), "image/webp");
	ck_assert_str_eq(type_of("GIF87a", 6, 64), "image/gif");
	ck_assert_str_eq(type_of("GIF89a", 6, 64), "image/gif");
	ck_assert_str_eq(type_of("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, 16), "");
	ck_assert_str_eq(type_of("\x89PNG\n\x1a\n", 7, 64), "");
	ck_assert_str_eq(type_of("RIFF\1\2\3\4WAVEfmt ", 16, 64), "");
	ck_assert_str_eq(type_of("<svg xmlns=", 11, 64), "");
	ck_assert_str_eq(type_of("<html>", 6, 64), "");
	ck_assert_str_eq(type_of("", 0, 0), "");
}
END_TEST

/* Tests of images' pure parts. */
Suite *
image_suite(void)
{
	const TTest *const tests[] = {images_are_told_by_their_bytes, NULL};

	return unit_suite("core image", tests);
}
