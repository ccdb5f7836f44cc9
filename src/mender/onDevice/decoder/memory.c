/* The memory functions that a compiler calls on its own, for builds without a C library. */
#include "types.h"

void *memcpy(void *to, const void *from, size count)
{
    u8 *target = to;
    const u8 *source = from;
    size at = 0;

    for (; at + sizeof(size) <= count; at += sizeof(size)) {
        size word;
        __builtin_memcpy(&word, source + at, sizeof word);
        __builtin_memcpy(target + at, &word, sizeof word);
    }
    for (; at < count; at++)
        target[at] = source[at];
    return to;
}

void *memset(void *to, int value, size count)
{
    u8 *target = to;

    while (count--)
        *target++ = (u8)value;
    return to;
}

int memcmp(const void *a, const void *b, size count)
{
    const u8 *first = a, *second = b;

    for (size at = 0; at < count; at++)
        if (first[at] != second[at])
            return first[at] < second[at] ? -1 : 1;
    return 0;
}
