#include "sources.h"

void sources_start(struct sources *sources)
{
    sources->size = 0;
    for (u32 i = 0; i < sources->count; i++) {
        sources->size += sources->list[i].content.size;
        sources->list[i].end = sources->size;
    }
    for (u32 i = 0; i < BLOCKS; i++)
        sources->blocks[i].is_filled = 0;
}

void sources_read(struct sources *sources, u64 position, u8 *into, size count)
{
    for (u32 i = 0; i < sources->count && count > 0; i++) {
        const struct source *source = &sources->list[i];
        u64 start = source->end - source->content.size;
        if (position >= source->end)
            continue;
        size part = count < source->end - position ? count : (size)(source->end - position);
        sources->read(sources->context, source, position - start, into, part);
        position += part, into += part, count -= part;
    }
}

struct block *sources_block(struct sources *sources, u64 position)
{
    u64 number = position / BLOCK_SIZE;
    u64 start = number * BLOCK_SIZE;
    struct block *block = &sources->blocks[number % BLOCKS];
    size before = start == 0 ? 0 : MARGIN;
    u64 rest = sources->size - (start - before);
    size wanted = before + BLOCK_SIZE + MARGIN;
    size count = rest < wanted ? (size)rest : wanted;

    block->is_filled = 0;
    memset(block->bytes, 0, MARGIN);
    sources_read(sources, start - before, block->bytes + MARGIN - before, count);
    memset(block->bytes + MARGIN - before + count, 0, sizeof block->bytes - (MARGIN - before + count));
    block->number = number;
    block->is_filled = 1;
    return block;
}
