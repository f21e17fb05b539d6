#ifndef JSON_TEST_H
#define JSON_TEST_H

#include <check.h>

Suite *json_blob_suite(void);
Suite *json_piece_suite(void);
Suite *json_read_suite(void);
Suite *json_text_suite(void);

#endif
