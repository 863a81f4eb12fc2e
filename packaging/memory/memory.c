/*
 * memcpy, memmove, memset, memcmp and bcmp of the static binary, in place of musl's.
 *
 * Owns nothing but speed: every one does what the C standard (C11, 7.24) says, for any length and alignment. What Rust
 * moves about are mostly some hundred bytes at a time. musl copies them by `rep movs`, which takes some tens of cycles
 * before its first byte, and compares byte by byte; together that was a third of the server's own time for a small
 * answer. Here, lengths of up to 128 bytes are loads and stores of 16 bytes, which every x86-64 processor has, some of
 * them overlapping rather than one by one at the end. `check.c` compares all of it with the plain way.
 *
 * To be compiled without the compiler's knowledge of these names (`build.rs`), or they would call themselves.
 */
#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

/* From how many bytes on the processor's own loop is the faster one. */
#define STRING_BYTES_MIN 2048

/* Numbers at any address, of memory that holds anything. */
typedef struct { uint64_t value; } __attribute__((packed, may_alias)) any64;
typedef struct { uint32_t value; } __attribute__((packed, may_alias)) any32;
typedef struct { uint16_t value; } __attribute__((packed, may_alias)) any16;

#define GET64(at) (((const any64 *)(at))->value)
#define GET32(at) (((const any32 *)(at))->value)
#define GET16(at) (((const any16 *)(at))->value)
#define PUT64(at, number) (((any64 *)(at))->value = (number))
#define PUT32(at, number) (((any32 *)(at))->value = (number))
#define PUT16(at, number) (((any16 *)(at))->value = (number))
#define GET128(at) _mm_loadu_si128((const __m128i *)(at))
#define PUT128(at, bytes) _mm_storeu_si128((__m128i *)(at), (bytes))
#define PUT128_ALIGNED(at, bytes) _mm_store_si128((__m128i *)(at), (bytes))

/* More than 128 bytes. `to` is before `from`, or they do not overlap. */
static void copy_upwards(unsigned char *to, const unsigned char *from, size_t len)
{
    const __m128i first = GET128(from);
    const __m128i last = GET128(from + len - 16);
    /* From here on, `to` is aligned. */
    size_t at = 16 - ((uintptr_t)to & 15);
    if (len >= STRING_BYTES_MIN && (uintptr_t)from - (uintptr_t)to >= len) {
        unsigned char *string_to = to + at;
        const unsigned char *string_from = from + at;
        size_t words = (len - at) / 8;
        __asm__ volatile("rep movsq" : "+D"(string_to), "+S"(string_from), "+c"(words) : : "memory");
    } else {
        const __m128i e = GET128(from + len - 64), f = GET128(from + len - 48), g = GET128(from + len - 32);
        for (; at + 64 < len; at += 64) {
            const __m128i a = GET128(from + at), b = GET128(from + at + 16);
            const __m128i c = GET128(from + at + 32), d = GET128(from + at + 48);
            PUT128_ALIGNED(to + at, a);
            PUT128_ALIGNED(to + at + 16, b);
            PUT128_ALIGNED(to + at + 32, c);
            PUT128_ALIGNED(to + at + 48, d);
        }
        PUT128(to + len - 64, e);
        PUT128(to + len - 48, f);
        PUT128(to + len - 32, g);
    }
    PUT128(to, first);
    PUT128(to + len - 16, last);
}

/* More than 128 bytes. `to` is behind `from` and inside of what is copied. */
static void copy_downwards(unsigned char *to, const unsigned char *from, size_t len)
{
    const __m128i e = GET128(from), f = GET128(from + 16), g = GET128(from + 32), h = GET128(from + 48);
    const __m128i last = GET128(from + len - 16);
    for (size_t at = len - ((uintptr_t)(to + len) & 15); at > 64; at -= 64) {
        const __m128i a = GET128(from + at - 16), b = GET128(from + at - 32);
        const __m128i c = GET128(from + at - 48), d = GET128(from + at - 64);
        PUT128_ALIGNED(to + at - 16, a);
        PUT128_ALIGNED(to + at - 32, b);
        PUT128_ALIGNED(to + at - 48, c);
        PUT128_ALIGNED(to + at - 64, d);
    }
    PUT128(to, e);
    PUT128(to + 16, f);
    PUT128(to + 32, g);
    PUT128(to + 48, h);
    PUT128(to + len - 16, last);
}

void *memmove(void *whereto, const void *wherefrom, size_t len)
{
    unsigned char *to = whereto;
    const unsigned char *from = wherefrom;
    /* Everything is read before anything is written, so that up to here it does not matter what overlaps. */
    if (len <= 16) {
        if (len >= 8) {
            const uint64_t a = GET64(from), b = GET64(from + len - 8);
            PUT64(to, a);
            PUT64(to + len - 8, b);
        } else if (len >= 4) {
            const uint32_t a = GET32(from), b = GET32(from + len - 4);
            PUT32(to, a);
            PUT32(to + len - 4, b);
        } else if (len >= 2) {
            const uint16_t a = GET16(from), b = GET16(from + len - 2);
            PUT16(to, a);
            PUT16(to + len - 2, b);
        } else if (len == 1) {
            *to = *from;
        }
    } else if (len <= 32) {
        const __m128i a = GET128(from), b = GET128(from + len - 16);
        PUT128(to, a);
        PUT128(to + len - 16, b);
    } else if (len <= 64) {
        const __m128i a = GET128(from), b = GET128(from + 16);
        const __m128i c = GET128(from + len - 32), d = GET128(from + len - 16);
        PUT128(to, a);
        PUT128(to + 16, b);
        PUT128(to + len - 32, c);
        PUT128(to + len - 16, d);
    } else if (len <= 128) {
        const __m128i a = GET128(from), b = GET128(from + 16), c = GET128(from + 32), d = GET128(from + 48);
        const __m128i e = GET128(from + len - 64), f = GET128(from + len - 48);
        const __m128i g = GET128(from + len - 32), h = GET128(from + len - 16);
        PUT128(to, a);
        PUT128(to + 16, b);
        PUT128(to + 32, c);
        PUT128(to + 48, d);
        PUT128(to + len - 64, e);
        PUT128(to + len - 48, f);
        PUT128(to + len - 32, g);
        PUT128(to + len - 16, h);
    } else if ((uintptr_t)to - (uintptr_t)from >= len) {
        copy_upwards(to, from, len);
    } else {
        copy_downwards(to, from, len);
    }
    return whereto;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len) __attribute__((alias("memmove")));

void *memset(void *where, int value, size_t len)
{
    unsigned char *to = where;
    const uint64_t eight = (unsigned char)value * UINT64_C(0x0101010101010101);
    if (len < 16) {
        if (len >= 8) {
            PUT64(to, eight);
            PUT64(to + len - 8, eight);
        } else if (len >= 4) {
            PUT32(to, (uint32_t)eight);
            PUT32(to + len - 4, (uint32_t)eight);
        } else if (len >= 2) {
            PUT16(to, (uint16_t)eight);
            PUT16(to + len - 2, (uint16_t)eight);
        } else if (len == 1) {
            *to = (unsigned char)value;
        }
        return where;
    }
    const __m128i sixteen = _mm_set1_epi64x((long long)eight);
    PUT128(to, sixteen);
    PUT128(to + len - 16, sixteen);
    /* From here on, `to` is aligned. */
    size_t at = 16 - ((uintptr_t)to & 15);
    if (len >= STRING_BYTES_MIN) {
        unsigned char *string_to = to + at;
        size_t words = (len - at) / 8;
        __asm__ volatile("rep stosq" : "+D"(string_to), "+c"(words) : "a"(eight) : "memory");
    } else {
        for (; at + 16 < len; at += 16) {
            PUT128_ALIGNED(to + at, sixteen);
        }
    }
    return where;
}

int memcmp(const void *left, const void *right, size_t len)
{
    const unsigned char *a = left, *b = right;
    if (len >= 16) {
        for (size_t at = 0;; at = at + 32 <= len ? at + 16 : len - 16) {
            const unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(GET128(a + at), GET128(b + at)));
            if (same != 0xffff) {
                const size_t differs = at + (size_t)__builtin_ctz(~same);
                return a[differs] - b[differs];
            }
            if (at + 16 == len) {
                return 0;
            }
        }
    }
    /* As numbers whose first byte counts most, they are in the order of their bytes. */
    if (len >= 8) {
        uint64_t x = __builtin_bswap64(GET64(a)), y = __builtin_bswap64(GET64(b));
        if (x == y) {
            x = __builtin_bswap64(GET64(a + len - 8));
            y = __builtin_bswap64(GET64(b + len - 8));
        }
        return (x > y) - (x < y);
    }
    if (len >= 4) {
        uint32_t x = __builtin_bswap32(GET32(a)), y = __builtin_bswap32(GET32(b));
        if (x == y) {
            x = __builtin_bswap32(GET32(a + len - 4));
            y = __builtin_bswap32(GET32(b + len - 4));
        }
        return (x > y) - (x < y);
    }
    for (size_t at = 0; at < len; at++) {
        if (a[at] != b[at]) {
            return a[at] - b[at];
        }
    }
    return 0;
}

int bcmp(const void *left, const void *right, size_t len) __attribute__((alias("memcmp")));
