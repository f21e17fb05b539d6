#ifndef API_TEST_H
#define API_TEST_H

#include "unit.h"

Suite *client_suite(void);
Suite *openapi_suite(void);
Suite *pass_suite(void);

#endif
