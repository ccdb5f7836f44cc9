/* Types and the few memory functions that the decoder needs. It uses no C library. */
#ifndef TYPES_H
#define TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef __SIZE_TYPE__ size;

void *memcpy(void *to, const void *from, size count);
void *memset(void *to, int value, size count);
int memcmp(const void *a, const void *b, size count);

/* Bytes by their SHA-256 and their number. */
struct content {
    u8 digest[32];
    u64 size;
};

/* Ends decoding with a message. Does not return. */
void fail(const char *message) __attribute__((noreturn));

#endif
