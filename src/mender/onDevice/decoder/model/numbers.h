/* Numbers of one kind: how many bits they have, then the bits below the highest one. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include "model/coder.h"

enum { LARGEST_BITS = 48 };

struct number {
    counter length[64];
    counter mantissa[64][16];
};

void number_start(struct number *number);
/* A number below 2^48. */
u64 decode_number(struct coder *coder, struct number *number);

#endif
