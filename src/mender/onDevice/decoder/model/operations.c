#include "model/operations.h"

void operations_start(struct operations *operations, struct coder *coder)
{
    operations->coder = coder;
    operations->distance = 0;
    for (int i = 0; i < REMEMBERED; i++)
        operations->earlier[i] = 0;
    operations->same = operations->after_gap = 0;
    for (int i = 0; i < 4; i++)
        number_start(&operations->sizes[i]);
    for (int i = 0; i < 2; i++) {
        number_start(&operations->gaps[i]);
        number_start(&operations->runs[i]);
    }
    number_start(&operations->steps);
    counters_reset(operations->is_same, 4);
    counters_reset(operations->is_remembered, 4);
    counters_reset(&operations->sign, 1);
    counters_reset(operations->is_whole[0], sizeof operations->is_whole / sizeof(counter));
}

u64 decode_gap_size(struct operations *operations)
{
    u64 gap = decode_number(operations->coder, &operations->gaps[operations->same]);

    operations->after_gap = gap == 0;
    return gap;
}

/* Changes the distance. `earlier` keeps the ones before it, the latest first. */
static i64 switch_to(struct operations *operations, i64 distance, int place)
{
    for (; place > 0; place--)
        operations->earlier[place] = operations->earlier[place - 1];
    operations->earlier[0] = operations->distance;
    operations->distance = distance;
    return distance;
}

i64 decode_distance(struct operations *operations)
{
    struct coder *coder = operations->coder;
    u32 context = operations->same << 1 | operations->after_gap;

    operations->same = (u32)decode_counted(coder, &operations->is_same[context]);
    if (operations->same)
        return operations->distance;
    if (decode_counted(coder, &operations->is_remembered[0])) {
        int high = decode_counted(coder, &operations->is_remembered[1]);
        int place = high << 1 | decode_counted(coder, &operations->is_remembered[2 + high]);
        return switch_to(operations, operations->earlier[place], place);
    }
    int is_negative = decode_counted(coder, &operations->sign);
    i64 step = (i64)decode_number(coder, &operations->steps);
    i64 distance = operations->distance + (is_negative ? -step : step);
    if (distance > 1ll << LARGEST_BITS || distance < -(1ll << LARGEST_BITS))
        fail("the patch is damaged: a copy begins outside the sources");
    return switch_to(operations, distance, REMEMBERED - 1);
}

u64 decode_size(struct operations *operations)
{
    u32 context = operations->same << 1 | operations->after_gap;

    return decode_number(operations->coder, &operations->sizes[context]);
}

static u32 bits_of(u64 value)
{
    u32 bits = 0;

    for (; value > 0; value >>= 1)
        bits++;
    return bits;
}

u64 decode_run(struct operations *operations, u64 rest, int is_later)
{
    if (decode_counted(operations->coder, &operations->is_whole[is_later][bits_of(rest) / 2]))
        return rest;
    return decode_number(operations->coder, &operations->runs[is_later]);
}
