#ifndef RELIABILITY_TEST_H
#define RELIABILITY_TEST_H

#include <check.h>

/* What the gateway promises when Bluejay, the network or a client fails. */
Suite *reliability_create_suite(void);   /* creates, once and only once */
Suite *reliability_operator_suite(void); /* creates that nobody can look up */
Suite *reliability_change_suite(void);   /* updates and deletes */
Suite *reliability_read_suite(void);     /* reads, caches, deadlines */
Suite *reliability_share_suite(void);    /* what others do in Bluejay */

#endif
