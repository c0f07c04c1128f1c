#ifndef UBIQ_EXTISM_MANIFEST_FIELDS_H
#define UBIQ_EXTISM_MANIFEST_FIELDS_H

/* The part of manifest.c that knows the keys and the types of their values. */

#include "base/record.h"
#include "extism/manifest.h"

/* Fills `out`, which must be empty; it may be half-filled on failure. As record_object. */
int manifest_read_fields(record_reader *r, manifest *out) MUST_CHECK;

#endif
