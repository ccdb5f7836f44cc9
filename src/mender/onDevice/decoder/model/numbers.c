#include "model/numbers.h"

enum { LENGTH_BITS = 6, MODELLED_BITS = 4 };

void number_start(struct number *number)
{
    counters_reset(number->length, 64);
    counters_reset(number->mantissa[0], 64 * 16);
}

u64 decode_number(struct coder *coder, struct number *number)
{
    u32 length = 1, prefix = 1;
    u64 value = 1;

    for (int i = 0; i < LENGTH_BITS; i++)
        length = length << 1 | (u32)decode_counted(coder, &number->length[length]);
    length -= 1 << LENGTH_BITS;
    if (length > LARGEST_BITS)
        fail("the patch is damaged: a number is too large");
    if (length == 0)
        return 0;
    for (u32 i = 0; i + 1 < length; i++) {
        if (i < MODELLED_BITS) {
            prefix = prefix << 1 | (u32)decode_counted(coder, &number->mantissa[length][prefix]);
            value = value << 1 | (prefix & 1);
        } else {
            value = value << 1 | (u32)decode_half(coder);
        }
    }
    return value;
}
