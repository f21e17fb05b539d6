#ifndef PASSTHROUGH_TEST_H
#define PASSTHROUGH_TEST_H

#include <check.h>

Suite *passthrough_bluejay_suite(void); /* what goes to Bluejay */
Suite *passthrough_websocket_suite(void);

#endif
