/* What a patch says of literals and copies, except for their bytes. */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "model/numbers.h"

enum { REMEMBERED = 4 };

/* A copy's distance is the place it reads from, in the joined sources, minus its place in the target. */
struct operations {
    struct coder *coder;
    i64 distance; /* of the last copy */
    i64 earlier[REMEMBERED];
    u32 same;      /* whether the last copy kept the distance */
    u32 after_gap; /* whether the last gap was empty */
    struct number gaps[2], sizes[4], runs[2], steps;
    counter is_same[4], is_remembered[4], sign, is_whole[2][LARGEST_BITS / 2 + 1];
};

void operations_start(struct operations *operations, struct coder *coder);
/* The number of literals before the next copy, or before the end. */
u64 decode_gap_size(struct operations *operations);
/* The distance of the next copy: -2^48 to 2^48. */
i64 decode_distance(struct operations *operations);
u64 decode_size(struct operations *operations);
/*
 * The number of equal bytes before the next difference, or `rest` if the copy has no more of them.
 * `is_later` is 0 at the start of a copy, else 1.
 */
u64 decode_run(struct operations *operations, u64 rest, int is_later);

#endif
