/* Decodes a patch. docs/patch-format.md specifies the format. */
#ifndef DECODE_H
#define DECODE_H

#include "model/model.h"
#include "model/operations.h"
#include "sources.h"

/* The tables of a patch take at most 6 * 2^23 + 2^24 bytes: 64 MiB. */
enum { LEAST_BITS = 16, MOST_TABLE_BITS = 23, MOST_RING_BITS = 24, MATCHES_FEWER = 2 };

struct decoder {
    struct input input;
    struct sources sources;
    struct output output;
    struct coder coder;
    struct residue residue;
    struct model model;
    struct operations operations;
    u32 table_bits;
    u32 ring_bits;
};

/* Reads the header. Fails if it is not one, or asks for more memory than a decoder gives. */
void read_header(struct decoder *decoder);
/* The bytes that decode_body takes for its tables. */
u64 memory_wanted(const struct decoder *decoder);
/* Decodes the rest. `memory` has memory_wanted bytes, aligned to 64. Fails if anything is wrong. */
void decode_body(struct decoder *decoder, u8 *memory);

#endif
