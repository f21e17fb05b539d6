#ifndef UPSTREAM_SUITES_H
#define UPSTREAM_SUITES_H

#include <check.h>

Suite *pure_suite(void);    /* retry, breaker, rate: no sockets */
Suite *outcome_suite(void); /* what each kind of answer becomes */
Suite *repeat_suite(void);  /* what is tried again, and when */
Suite *limits_suite(void);  /* deadlines, cancels, queue */
Suite *guards_suite(void);  /* breaker and rate budget */
Suite *wire_suite(void);    /* what goes over the wire, and on which connection */
Suite *tls_suite(void);
Suite *http1_answer_suite(void); /* where an answer ends, and what is none */
Suite *pool_suite(void);    /* connections that are kept, and for how long */
Suite *relay_suite(void);   /* exchanges that are passed on */
Suite *tunnel_suite(void);  /* connections that change their protocol */
Suite *address_suite(void); /* public addresses; whose key, which types */

#endif
