/*
 * Runs the decoder on patches that lie. Built with sanitizers, and all of the decoder's files but
 * those that need no C library.
 *
 *   fuzzDecoder SOURCE PATCH...    prints for each patch: whole, long (over MOST_BYTES), or why it is refused
 *
 * With -DLIBFUZZER it is a target of libFuzzer, which reads the source that the environment names:
 *
 *   SOURCE=fixtures/patch/source.bin ./fuzzer fixtures/patch
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.c"
#include "header.c"
#include "model/coder.c"
#include "input.c"
#include "model/model.c"
#include "model/numbers.c"
#include "model/operations.c"
#include "output.c"
#include "sha256/sha256.c"
#include "sha256/sha256Machine.c"
#include "sources.c"

enum { MOST_BYTES = 1 << 20, MOST_MEMORY = 64 << 20 };

static struct decoder decoder;
static jmp_buf stop;
static const char *reason;
static u8 *source;
static size source_size, written;

struct memory {
    const u8 *bytes;
    size at, end;
};

void fail(const char *message)
{
    reason = message;
    longjmp(stop, 1);
}

size system_says(size entry)
{
    (void)entry;
    return 0;
}

static size read_memory(void *context, u8 *into, size count)
{
    struct memory *memory = context;
    size part = memory->end - memory->at;

    if (part > count)
        part = count;
    if (part > 0)
        memcpy(into, memory->bytes + memory->at, part);
    memory->at += part;
    return part;
}

/* A source may have any size: its bytes repeat. */
static void read_any(void *context, const struct source *of, u64 position, u8 *into, size count)
{
    (void)context;
    if (position > of->content.size || count > of->content.size - position)
        abort();
    for (size i = 0; i < count; i++)
        into[i] = source[(position + i) % source_size];
}

static void drop(void *context, const u8 *bytes, size count)
{
    (void)context, (void)bytes;
    written += count;
    if (written > MOST_BYTES)
        fail("long");
}

static const char *run(const u8 *patch, size count)
{
    struct memory memory = {patch, 0, count};
    u8 *volatile tables = 0;

    memset(&decoder, 0, sizeof decoder);
    written = 0;
    reason = "whole";
    decoder.input.read = read_memory;
    decoder.input.context = &memory;
    decoder.sources.read = read_any;
    decoder.output.write = drop;
    if (setjmp(stop) == 0) {
        read_header(&decoder);
        if (memory_wanted(&decoder) > MOST_MEMORY)
            abort();
        tables = malloc((size)memory_wanted(&decoder));
        decode_body(&decoder, tables);
    }
    free(tables);
    return reason;
}

static u8 *read_file(const char *path, size *count)
{
    FILE *file = fopen(path, "rb");
    u8 *bytes = malloc(1 << 20);

    if (file == 0 || bytes == 0)
        exit(2);
    *count = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const u8 *patch, size count)
{
    if (source == 0)
        source = read_file(getenv("SOURCE"), &source_size);
    run(patch, count);
    return 0;
}
#else
int main(int count, char **arguments)
{
    source = read_file(arguments[1], &source_size);
    for (int i = 2; i < count; i++) {
        size length;
        u8 *patch = read_file(arguments[i], &length);
        puts(run(patch, length));
        free(patch);
    }
    free(source);
    return 0;
}
#endif
