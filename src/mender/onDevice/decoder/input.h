/* The patch, read once from front to back. */
#ifndef INPUT_H
#define INPUT_H

#include "types.h"

enum { INPUT_SIZE = 1 << 16 };

struct input {
    /* Fills up to `count` bytes, and returns how many: 0 at the end. */
    size (*read)(void *context, u8 *into, size count);
    void *context;
    size at, end;
    u8 bytes[INPUT_SIZE];
};

/* Fills the buffer. Returns 0 if the patch has no more bytes. */
int input_fill(struct input *input);

/* The next byte. Fails at the end of the patch. */
static inline u8 input_byte(struct input *input)
{
    if (input->at == input->end && !input_fill(input))
        fail("the patch ends early");
    return input->bytes[input->at++];
}

/* True if the patch has no more bytes. */
static inline int input_is_at_end(struct input *input)
{
    return input->at == input->end && !input_fill(input);
}

#endif
