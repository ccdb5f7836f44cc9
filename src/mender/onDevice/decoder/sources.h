/*
 * The base layers, as if they were one file. The most recent blocks are kept, each with a few bytes
 * before and after it, so that the model can look around a byte.
 */
#ifndef SOURCES_H
#define SOURCES_H

#include "types.h"

enum { BLOCK_SIZE = 1 << 15, BLOCKS = 32, MARGIN = 8, MOST_SOURCES = 256 };

struct source {
    struct content content;
    u64 end; /* in the address space that all sources share */
    int file;
};

struct block {
    u64 number;
    int is_filled;
    u8 bytes[MARGIN + BLOCK_SIZE + MARGIN];
};

struct sources {
    /* Fills exactly `count` bytes from `position` of a source, or fails. */
    void (*read)(void *context, const struct source *source, u64 position, u8 *into, size count);
    void *context;
    u32 count;
    u64 size;
    struct source list[MOST_SOURCES];
    struct block blocks[BLOCKS];
};

/* Sets the ends and the joined size from the contents, and forgets all blocks. */
void sources_start(struct sources *sources);

/* Reads [position, position + count), which lies in the sources, past the kept blocks. */
void sources_read(struct sources *sources, u64 position, u8 *into, size count);

/* Reads the block that has `position`, unless it is there. */
struct block *sources_block(struct sources *sources, u64 position);

/*
 * The byte at `position`. Up to MARGIN bytes before and after it may be read too; they are 0 outside
 * the sources. `held` is how many bytes from this one on are in the same block.
 */
static inline const u8 *source_at(struct sources *sources, u64 position, size *held)
{
    u64 number = position / BLOCK_SIZE;
    size offset = (size)(position % BLOCK_SIZE);
    struct block *block = &sources->blocks[number % BLOCKS];

    if (!block->is_filled || block->number != number)
        block = sources_block(sources, position);
    *held = BLOCK_SIZE - offset;
    return block->bytes + MARGIN + offset;
}

#endif
