#ifndef SANDBOX_SERVICE_H
#define SANDBOX_SERVICE_H

#include "base/fail.h"
#include "base/loop.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_control.h"

/*
 * The simulated service on a loop: its server, its state, and its faults.
 * Belongs to the loop's thread.
 */
struct sandbox_service;

/* Opens the state and listens. NULL with a sentence on failure. */
struct sandbox_service *sandbox_service_new(struct loop *, const struct sandbox_options *,
    struct fail *);
void sandbox_service_free(struct sandbox_service *); /* cuts what is running */

const char *sandbox_service_url(const struct sandbox_service *);
struct sandbox_state *sandbox_service_state(struct sandbox_service *);
struct sandbox_faults *sandbox_service_faults(struct sandbox_service *);
const struct sandbox_tally *sandbox_service_tally(const struct sandbox_service *);

#endif
