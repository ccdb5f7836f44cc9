/* The system calls of Linux that the decoder uses. Each returns a negative number on an error. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "types.h"

long system_read(int file, u8 *into, size count);
long system_write(int file, const u8 *bytes, size count);
/* Opens a file for reading. */
long system_open(const char *path);
/* Reads from a position of the file, whatever was read before. */
long system_read_at(int file, u8 *into, size count, u64 position);
/* The file's size in bytes. */
i64 system_size(int file);
/* Fresh memory, all zeros; 0 if there is none. */
u8 *system_memory(size count);
/* Remembers what the kernel says of the machine. `stack` is what it gives a new program. */
void system_start(const size *stack);
/* An entry of the kernel's auxiliary vector; 0 if there is none. */
size system_says(size entry);
void system_exit(int status) __attribute__((noreturn));

#endif
