/*
 * The range decoder, the counters that learn how likely a bit is, and the mixer of their
 * predictions. docs/patch-format.md specifies every step.
 */
#ifndef CODER_H
#define CODER_H

#include "input.h"

/* 22 bits of probability that the next bit is 1, then 10 bits that say how many bits it has seen. */
typedef u32 counter;
#define NEW_COUNTER 0x80000000u

enum { MOST_INPUTS = 8, GROUP = 16 };

struct coder {
    struct input *input;
    u32 range;
    u32 code;
    counter *slots; /* counters that the hash of a context finds */
    u32 mask;
    i16 stretched[4096];
    u32 rates[256];
};

/* One row of weights for each context, `inputs` in a row. */
struct mixer {
    int inputs;
    int rate;
    u32 limit;
    i32 *weights;
};

void coder_start(struct coder *coder, struct input *input, counter *slots, int bits);
/* True if the decoder has used exactly what the encoder wrote. */
int coder_is_done(const struct coder *coder);
void counters_reset(counter *counters, size count);
void weights_reset(struct mixer *mixer, int rows);

/* A bit that is 0 as often as 1. */
int decode_half(struct coder *coder);
/* A bit that one counter predicts. */
int decode_counted(struct coder *coder, counter *counter);
/* A bit that the counters in `inputs` predict, by the weights of `row`. */
int decode_mixed(struct coder *coder, struct mixer *mixer, u32 row, counter **inputs);

u32 hash(u32 a, u32 b);

static inline counter *slot_of(struct coder *coder, u32 context)
{
    return &coder->slots[context & coder->mask];
}

/* The counters of half a byte: GROUP of them in one cache line. */
static inline counter *group_of(struct coder *coder, u32 context)
{
    return &coder->slots[context & coder->mask & ~(u32)(GROUP - 1)];
}

#endif
