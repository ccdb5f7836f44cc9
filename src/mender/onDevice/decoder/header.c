#include "decode.h"

static const u8 MAGIC[7] = {'M', 'D', 'P', 'A', 'T', 'C', 'H'};

enum { VERSION = 1 };
static const u64 LARGEST = 1ull << LARGEST_BITS;

static u64 read_integer(struct input *input, int bytes)
{
    u64 value = 0;

    for (int i = 0; i < bytes; i++)
        value |= (u64)input_byte(input) << (8 * i);
    return value;
}

/* Reads a content. `before` is the size of those that share an address space with it. */
static void read_content(struct input *input, u64 before, struct content *content)
{
    for (int i = 0; i < 32; i++)
        content->digest[i] = input_byte(input);
    content->size = read_integer(input, 8);
    if (content->size > LARGEST || before + content->size > LARGEST)
        fail("the patch is damaged: a size is too large");
}

static int is_in_bounds(const struct decoder *decoder)
{
    return decoder->table_bits >= LEAST_BITS && decoder->table_bits <= MOST_TABLE_BITS &&
           decoder->ring_bits >= LEAST_BITS && decoder->ring_bits <= MOST_RING_BITS &&
           decoder->sources.count > 0 && decoder->sources.count <= MOST_SOURCES;
}

void read_header(struct decoder *decoder)
{
    struct input *input = &decoder->input;
    struct sources *sources = &decoder->sources;
    u64 before = 0;

    for (size i = 0; i < sizeof MAGIC; i++)
        if (input_byte(input) != MAGIC[i])
            fail("this is not a patch");
    if (input_byte(input) != VERSION)
        fail("the patch has a version that this decoder does not know");
    decoder->table_bits = input_byte(input);
    decoder->ring_bits = input_byte(input);
    sources->count = (u32)read_integer(input, 2);
    if (!is_in_bounds(decoder))
        fail("the patch is damaged: its header is out of bounds");
    read_content(input, 0, &decoder->output.content);
    for (u32 i = 0; i < sources->count; i++) {
        read_content(input, before, &sources->list[i].content);
        before += sources->list[i].content.size;
    }
    sources_start(sources);
}

u64 memory_wanted(const struct decoder *decoder)
{
    u64 counters = (u64)sizeof(counter) << decoder->table_bits;
    u64 matches = 2 * (u64)sizeof(u32) << (decoder->table_bits - MATCHES_FEWER);

    return counters + matches + (1ull << decoder->ring_bits);
}
