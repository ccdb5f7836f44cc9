/*
 * decoder test
 * decoder decode SOURCE... < PATCH > RESULT
 *
 * `decode` takes one file for each source that the patch names, in the order of the patch. Exits with
 * 0 if the result is complete and has the SHA-256 that the patch names; else with 1 and a message.
 * `test` decodes a built-in patch.
 */
#include "decode.h"
#include "selfTest.h"
#include "system.h"

static struct decoder decoder;

static size length_of(const char *text)
{
    size length = 0;

    while (text[length] != 0)
        length++;
    return length;
}

static int is_same(const char *a, const char *b)
{
    size length = length_of(a);

    return length == length_of(b) && memcmp(a, b, length) == 0;
}

static void say(const char *text)
{
    system_write(2, (const u8 *)text, length_of(text));
}

void fail(const char *message)
{
    say("decoder: ");
    say(message);
    say("\n");
    system_exit(1);
}

static size read_patch(void *context, u8 *into, size count)
{
    long got = system_read(0, into, count);

    (void)context;
    if (got < 0)
        fail("the patch can't be read");
    return (size)got;
}

static void write_result(void *context, const u8 *bytes, size count)
{
    (void)context;
    while (count > 0) {
        long done = system_write(1, bytes, count);
        if (done <= 0)
            fail("the result can't be written");
        bytes += done, count -= (size)done;
    }
}

static void read_source(void *context, const struct source *source, u64 position, u8 *into, size count)
{
    (void)context;
    while (count > 0) {
        long got = system_read_at(source->file, into, count, position);
        if (got < 0)
            fail("a source can't be read");
        if (got == 0)
            fail("a source ends early");
        into += got, position += (u64)got, count -= (size)got;
    }
}

static void open_sources(struct sources *sources, char **paths)
{
    for (u32 i = 0; i < sources->count; i++) {
        struct source *source = &sources->list[i];
        if (paths[i] == 0)
            fail("the patch has more sources than were given");
        source->file = (int)system_open(paths[i]);
        if (source->file < 0)
            fail("a source can't be opened");
        if (system_size(source->file) != (i64)source->content.size)
            fail("a source has another size than the patch says");
    }
    if (paths[sources->count] != 0)
        fail("the patch has fewer sources than were given");
}

static void decode(void)
{
    u8 *memory = system_memory((size)memory_wanted(&decoder));

    if (memory == 0)
        fail("there is not enough memory");
    decode_body(&decoder, memory);
}

static size read_test_patch(void *context, u8 *into, size count)
{
    size *at = context;
    size rest = sizeof TEST_PATCH - *at;
    size part = count < rest ? count : rest;

    memcpy(into, TEST_PATCH + *at, part);
    *at += part;
    return part;
}

static void read_test_source(void *context, const struct source *source, u64 position, u8 *into, size count)
{
    (void)context, (void)source;
    memcpy(into, TEST_SOURCE + position, count);
}

static void drop(void *context, const u8 *bytes, size count)
{
    (void)context, (void)bytes, (void)count;
}

/* Decodes the built-in patch from memory. Fails unless the result has its SHA-256. */
static void test_itself(void)
{
    static size at;

    decoder.input.read = read_test_patch;
    decoder.input.context = &at;
    decoder.sources.read = read_test_source;
    decoder.output.write = drop;
    read_header(&decoder);
    decode();
}

static void decode_files(char **paths)
{
    decoder.input.read = read_patch;
    decoder.sources.read = read_source;
    decoder.output.write = write_result;
    read_header(&decoder);
    open_sources(&decoder.sources, paths);
    decode();
}

/* `stack` is what Linux gives a new program: the number of arguments, and the arguments. */
__attribute__((used, noreturn)) void begin(size *stack)
{
    char **arguments = (char **)(stack + 1);

    system_start(stack);
    if (stack[0] == 2 && is_same(arguments[1], "test"))
        test_itself();
    else if (stack[0] > 2 && is_same(arguments[1], "decode"))
        decode_files(arguments + 2);
    else
        fail("expected test, or decode SOURCE... < PATCH > RESULT");
    system_exit(0);
}
