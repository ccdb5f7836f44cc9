#include "system.h"

enum { CURRENT_FOLDER = -100, SEEK_TO_END = 2, READ_AND_WRITE = 3, PRIVATE_ANONYMOUS = 0x22 };
enum { INTERRUPTED = -4, CLOSE_ON_EXEC = 02000000 };
/* Without it, machines of 32 bits open no file of 2 GiB. */
#if defined(__arm__)
enum { LARGE_FILE = 0400000 };
#else
enum { LARGE_FILE = 0 };
#endif

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, SEEK = 8, MAP = 9, READ_AT = 17, EXIT = 231, OPEN = 257 };

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin\n");

#elif defined(__aarch64__) || defined(__riscv)
enum { OPEN = 56, SEEK = 62, READ = 63, WRITE = 64, READ_AT = 67, EXIT = 94, MAP = 222 };

#if defined(__aarch64__)
#define REGISTER(n) "x" #n
#define NUMBER "x8"
#define TRAP "svc 0"
__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  b begin\n");
#else
#define REGISTER(n) "a" #n
#define NUMBER "a7"
#define TRAP "ecall"
__asm__(".globl _start\n_start:\n"
        "  .option push\n  .option norelax\n  la gp, __global_pointer$\n  .option pop\n"
        "  mv a0, sp\n  andi sp, sp, -16\n  tail begin\n");
#endif

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long which __asm__(NUMBER) = number;
    register long r0 __asm__(REGISTER(0)) = a;
    register long r1 __asm__(REGISTER(1)) = b;
    register long r2 __asm__(REGISTER(2)) = c;
    register long r3 __asm__(REGISTER(3)) = d;
    register long r4 __asm__(REGISTER(4)) = e;
    register long r5 __asm__(REGISTER(5)) = f;

    __asm__ volatile(TRAP
                     : "+r"(r0)
                     : "r"(which), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                     : "memory");
    return r0;
}

#elif defined(__arm__)
enum { READ = 3, WRITE = 4, SEEK64 = 140, READ_AT = 180, MAP = 192, EXIT = 248, OPEN = 322 };

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r7 __asm__("r7") = number;
    register long r0 __asm__("r0") = a;
    register long r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c;
    register long r3 __asm__("r3") = d;
    register long r4 __asm__("r4") = e;
    register long r5 __asm__("r5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(r0)
                     : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                     : "memory");
    return r0;
}

__asm__(".globl _start\n_start:\n  mov fp, #0\n  mov lr, #0\n  mov r0, sp\n  bic sp, sp, #7\n  b begin\n");
#else
#error "no system calls for this machine"
#endif

long system_read(int file, u8 *into, size count)
{
    long got;

    do
        got = call(READ, file, (long)into, (long)count, 0, 0, 0);
    while (got == INTERRUPTED);
    return got;
}

long system_write(int file, const u8 *bytes, size count)
{
    long done;

    do
        done = call(WRITE, file, (long)bytes, (long)count, 0, 0, 0);
    while (done == INTERRUPTED);
    return done;
}

long system_open(const char *path)
{
    return call(OPEN, CURRENT_FOLDER, (long)path, CLOSE_ON_EXEC | LARGE_FILE, 0, 0, 0);
}

long system_read_at(int file, u8 *into, size count, u64 position)
{
    long got;

    do
#if defined(__arm__)
        got = call(READ_AT, file, (long)into, (long)count, 0, (long)position, (long)(position >> 32));
#else
        got = call(READ_AT, file, (long)into, (long)count, (long)position, 0, 0);
#endif
    while (got == INTERRUPTED);
    return got;
}

i64 system_size(int file)
{
#if defined(__arm__)
    i64 position = 0;
    long result = call(SEEK64, file, 0, 0, (long)&position, SEEK_TO_END, 0);

    return result < 0 ? result : position;
#else
    return call(SEEK, file, 0, SEEK_TO_END, 0, 0, 0);
#endif
}

u8 *system_memory(size count)
{
    long at = call(MAP, 0, (long)count, READ_AND_WRITE, PRIVATE_ANONYMOUS, -1, 0);

    return at < 0 && at > -4096 ? 0 : (u8 *)at;
}

static const size *auxiliary;

void system_start(const size *stack)
{
    const size *word = stack + 1 + stack[0] + 1;

    while (*word != 0)
        word++;
    auxiliary = word + 1;
}

size system_says(size entry)
{
    for (const size *pair = auxiliary; pair != 0 && pair[0] != 0; pair += 2)
        if (pair[0] == entry)
            return pair[1];
    return 0;
}

void system_exit(int status)
{
    for (;;)
        call(EXIT, status, 0, 0, 0, 0, 0);
}
