/* The target. A ring keeps its last bytes; they are hashed and written as the ring fills. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "sha256.h"

struct output {
    void (*write)(void *context, const u8 *bytes, size count);
    void *context;
    struct content content; /* what the target must be */
    u8 *ring;
    u32 mask;    /* bytes of the ring - 1 */
    u64 at;      /* bytes of the target so far */
    u64 flushed; /* bytes that are written */
    struct sha256 sum;
};

void output_start(struct output *output, u8 *ring, u32 mask);
void output_flush(struct output *output);
void output_bytes(struct output *output, const u8 *bytes, size count);
/* Compares the SHA-256, and then writes what is left. Fails if the digest is not the target's. */
void output_finish(struct output *output);

static inline void output_byte(struct output *output, u8 byte)
{
    output->ring[output->at & output->mask] = byte;
    output->at++;
    if (output->at - output->flushed > output->mask / 2)
        output_flush(output);
}

/* The byte `distance` before the next one; 0 if it does not exist yet, or is no longer in the ring. */
static inline u8 byte_before(const struct output *output, u64 distance)
{
    if (distance - 1 >= output->mask || distance > output->at)
        return 0;
    return output->ring[(output->at - distance) & output->mask];
}

#endif
