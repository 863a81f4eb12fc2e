/*
 * Compares memory.c with the plain way of doing the same, byte by byte: `packaging/build` runs it before it trusts the
 * binary to it. Exits with 1 at the first difference, which it names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond every limit at which memory.c changes its way, and past them. */
#define LEN_MAX 4500
#define ROOM (3 * LEN_MAX)

static unsigned char memory[ROOM], expected[ROOM], before[ROOM];
static unsigned long long seed = 88172645463325252ULL;

static unsigned random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 11);
}

static void fail(const char *what, size_t len, size_t to, size_t from)
{
    printf("%s is wrong for %zu bytes from %zu to %zu\n", what, len, from, to);
    exit(1);
}

/* Not by the functions that are looked at. */
static void expect_same(const char *what, size_t len, size_t to, size_t from)
{
    for (size_t at = 0; at < ROOM; at++) {
        if (memory[at] != expected[at]) fail(what, len, to, from);
    }
}

static void refill(void)
{
    for (size_t at = 0; at < ROOM; at++) memory[at] = expected[at] = before[at] = (unsigned char)random_number();
}

static void check_copy(size_t len, size_t to, size_t from)
{
    const int overlaps = to < from + len && from < to + len;
    refill();
    for (size_t at = 0; at < len; at++) expected[to + at] = before[from + at];
    if (memmove(memory + to, memory + from, len) != memory + to) fail("the answer of memmove", len, to, from);
    expect_same("memmove", len, to, from);
    if (overlaps) return;
    for (size_t at = 0; at < ROOM; at++) memory[at] = before[at];
    if (memcpy(memory + to, memory + from, len) != memory + to) fail("the answer of memcpy", len, to, from);
    expect_same("memcpy", len, to, from);
}

static void check_fill(size_t len, size_t to)
{
    const int value = (int)random_number();
    refill();
    for (size_t at = 0; at < len; at++) expected[to + at] = (unsigned char)value;
    if (memset(memory + to, value, len) != memory + to) fail("the answer of memset", len, to, 0);
    expect_same("memset", len, to, 0);
}

static int sign(int number) { return (number > 0) - (number < 0); }

static void check_comparison(size_t len, size_t left, size_t right)
{
    for (size_t at = 0; at < len; at++) memory[left + at] = expected[right + at] = (unsigned char)random_number();
    if (memcmp(memory + left, expected + right, len) != 0) fail("memcmp of the same", len, left, right);
    for (int times = 0; times < 8 && len > 0; times++) {
        /* The first difference decides, whatever comes behind it. */
        const size_t first = random_number() % len, second = first + random_number() % (len - first);
        const unsigned char one = memory[left + first], other = memory[left + second];
        memory[left + first] ^= (unsigned char)(1 + random_number() % 255);
        memory[left + second] ^= (unsigned char)(second > first ? random_number() : 0);
        const int order = sign(memory[left + first] - expected[right + first]);
        if (sign(memcmp(memory + left, expected + right, len)) != order) fail("memcmp", len, left, right);
        memory[left + second] = other;
        memory[left + first] = one;
    }
}

int main(void)
{
    for (size_t len = 0; len <= LEN_MAX; len += len < 300 ? 1 : 1 + random_number() % 97) {
        for (int times = 0; times < 24; times++) {
            const size_t to = random_number() % 64, from = random_number() % 64;
            check_copy(len, LEN_MAX + to, LEN_MAX + from);
            check_copy(len, LEN_MAX + random_number() % (len + 1), LEN_MAX);
            check_copy(len, LEN_MAX, LEN_MAX + random_number() % (len + 1));
            check_copy(len, to, 2 * LEN_MAX - from);
            check_fill(len, to);
            check_comparison(len, to, from);
        }
    }
    puts("memory.c does what it should");
    return 0;
}
