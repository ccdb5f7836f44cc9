/* The target. Its last bytes wait in a ring; they are hashed and written as the ring fills. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "sha256/sha256.h"

enum { OUTPUT_SIZE = 1 << 16, OUTPUT_MASK = OUTPUT_SIZE - 1 };

struct output {
    void (*write)(void *context, const u8 *bytes, size count);
    void *context;
    struct content content; /* what the target must be */
    u64 at;                 /* bytes of the target so far */
    u64 flushed;            /* bytes that are written */
    struct sha256 sum;
    u8 ring[OUTPUT_SIZE];
};

void output_start(struct output *output);
void output_flush(struct output *output);
void output_bytes(struct output *output, const u8 *bytes, size count);
/* Compares the SHA-256, and then writes what is left. Fails if the digest is not the target's. */
void output_finish(struct output *output);

static inline void output_byte(struct output *output, u8 byte)
{
    output->ring[output->at & OUTPUT_MASK] = byte;
    output->at++;
    if (output->at - output->flushed > OUTPUT_SIZE / 2)
        output_flush(output);
}

/* The byte `distance` before the next one, at most 32. It is 0 before the start. */
static inline u8 byte_before(const struct output *output, u32 distance)
{
    return output->ring[(output->at - distance) & OUTPUT_MASK];
}

#endif
