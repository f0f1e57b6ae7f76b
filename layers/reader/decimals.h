/* Decimal numbers to doubles, several bytes at a time. No byte outside of the text is touched.

   A number that takes more than 128 bits to round is left to whoever asked.

   Freestanding C11 with Clang's vectors, for little-endian machines. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char byte;
typedef unsigned __int128 uint128;
typedef byte bytes16 __attribute__((vector_size(16)));
typedef bool bits16 __attribute__((ext_vector_type(16)));

/* 10^q is (high * 2^64 + low) * 2^(floor(log2 10^q) - 127), cut off after these 128 bits. */
struct power { uint64_t high, low; };
enum { LEAST_POWER = -342, LARGEST_POWER = 100, LARGEST_EXACT_POWER = 27 /* 5^27 < 2^64 */ };

/* How numbers are written, and how large they are at most. */
struct notation {
    byte mark;                  /* the decimal one: '.' or ',' */
    double magnitude;           /* what no number exceeds; 1e38 or more */
    const struct power *powers; /* from LEAST_POWER to LARGEST_POWER */
};

/* digits * 10^power; a number slightly larger where not `whole`, as digits were left out. */
struct decimal { uint64_t digits; int64_t power; bool whole; };

static const uint64_t TENS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
static const double EXACT_TENS[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const uint64_t LARGEST_EXACT = (uint64_t)1 << 53;
static const uint64_t NINETEEN_DIGITS = 1000000000000000000; /* the least number that has them */
/* The least number that has more than 19 together with so many digits behind it. */
static const uint64_t NINETEEN_DIGITS_WITH[] = {
    0,
    1000000000000000000,
    100000000000000000,
    10000000000000000,
    1000000000000000,
    100000000000000,
    10000000000000,
    1000000000000,
    100000000000};

static inline byte at_or_end(const byte *at, const byte *end) { return at < end ? *at : 0; }

/* --- digits, eight at a time ------------------------------------------------------------- */

/* Eight bytes less '0' each, the first one lowest. */
static inline uint64_t eight(const byte *at)
{
    uint64_t bytes;
    __builtin_memcpy(&bytes, at, 8);
    return bytes ^ 0x3030303030303030;
}

/* The same of less than eight, and no digits after them. */
static inline uint64_t up_to_eight(const byte *at, const byte *end)
{
    if (end - at >= 8)
        return eight(at);
    uint64_t bytes = 0;
    for (int i = 0; i < end - at; i++)
        bytes |= (uint64_t)at[i] << 8 * i;
    return bytes ^ 0x3030303030303030;
}

/* How many digits stand before the first byte that is none. */
static inline int leading_digits(uint64_t bytes)
{
    uint64_t others = (bytes | (bytes + 0x7676767676767676)) & 0x8080808080808080;
    return others ? __builtin_ctzll(others) / 8 : 8;
}

/* The number that the first n of eight digits are, 1 to 8: made of pairs, of fours, of all. */
static inline uint64_t number_of(uint64_t digits, int n)
{
    digits <<= 64 - 8 * n;
    digits = digits * 10 + (digits >> 8);
    uint64_t pairs = digits & 0x000000FF000000FF, others = (digits >> 16) & 0x000000FF000000FF;
    return (pairs * 0x000F424000000064 + others * 0x0000271000000001) >> 32;
}

static inline const byte *read_digits(const byte *at, const byte *end, struct decimal *read)
{
    for (;;) {
        uint64_t bytes = up_to_eight(at, end);
        int n = leading_digits(bytes);
        if (n == 0)
            return at;
        if (read->digits < NINETEEN_DIGITS_WITH[n]) {
            read->digits = read->digits * TENS[n] + number_of(bytes, n);
        } else {
            for (int i = 0; i < n; i++, bytes >>= 8) {
                if (read->digits < NINETEEN_DIGITS) {
                    read->digits = read->digits * 10 + (bytes & 15);
                } else {
                    read->power++;
                    read->whole &= (bytes & 15) == 0;
                }
            }
        }
        at += n;
        if (n < 8)
            return at;
    }
}

/* --- a decimal to a double --------------------------------------------------------------- */

/* The double nearest to digits * 10^power; false where 128 bits do not tell which one it is.

   The product is cut off twice, so that the true one lies less than 2 above it, in its last place.
   Source: Lemire, Number parsing at a gigabyte per second (2021), section 5. */
static inline bool nearest(
    uint64_t digits, int64_t power, const struct power *powers, double *value)
{
    if (power < LEAST_POWER) { /* less than half of the least double */
        *value = 0;
        return true;
    }
    if (power > LARGEST_POWER)
        return false;
    struct power ten = powers[power - LEAST_POWER];
    int shift = __builtin_clzll(digits);
    uint64_t factor = digits << shift;
    uint128 product = (uint128)factor * ten.high + (uint64_t)((uint128)factor * ten.low >> 64);
    int top = 126 + (int)(product >> 127);
    int exponent = top - shift - 63 + (int)((power * 217706) >> 16); /* floor(log2(value)) */
    int dropped = top - 52 + (exponent < -1022 ? -1022 - exponent : 0);
    if (dropped > 127)
        return false;
    uint64_t kept = (uint64_t)(product >> dropped);
    uint128 half = (uint128)1 << (dropped - 1), rest = product & (2 * half - 1);
    bool exact = power >= 0 && power <= LARGEST_EXACT_POWER;
    if (!exact && (rest == half || rest == half - 1))
        return false;
    kept += (rest > half) | ((rest == half) & kept & 1);
    /* The leading bit, and the carry of a rounding, each add one to the exponent. */
    kept += exponent < -1022 ? 0 : (uint64_t)(exponent + 1022) << 52;
    __builtin_memcpy(value, &kept, 8);
    return true;
}

static inline bool to_double(
    const struct decimal *read, const struct notation *notation, double *value)
{
    uint64_t digits = read->digits;
    int64_t power = read->power;
    if (digits <= LARGEST_EXACT && read->whole && power >= -22 && power <= 22) {
        /* Both factors are exact, so the one operation rounds right. */
        double exact = (double)(int64_t)digits;
        *value = power < 0 ? exact / EXACT_TENS[-power] : exact * EXACT_TENS[power];
        return true;
    }
    if (digits == 0) {
        *value = 0;
        return true;
    }
    double above;
    if (!nearest(digits, power, notation->powers, value) || *value > notation->magnitude)
        return false;
    return read->whole
        || (nearest(digits + 1, power, notation->powers, &above) && above == *value);
}

/* --- numbers ----------------------------------------------------------------------------- */

static inline const byte *read_exponent(const byte *at, const byte *end, struct decimal *read)
{
    bool negative = at_or_end(at, end) == '-';
    at += negative | (at_or_end(at, end) == '+');
    const byte *first = at;
    int64_t exponent = 0;
    for (unsigned digit; (digit = at_or_end(at, end) - '0') < 10; at++)
        if (exponent < 1000000)
            exponent = exponent * 10 + digit;
    read->power += negative ? -exponent : exponent;
    return at > first ? at : NULL;
}

/* Reads an exponent, if there is one, and makes the double. */
static inline __attribute__((noinline)) const byte *read_rest(
    const byte *at, const byte *end, const struct notation *notation, bool negative,
    struct decimal *read, double *value)
{
    if ((at_or_end(at, end) | 0x20) == 'e' && !(at = read_exponent(at + 1, end, read)))
        return NULL;
    if (!to_double(read, notation, value))
        return NULL;
    *value = (negative ? -*value : *value) + 0.0; /* zero has no sign */
    return at;
}

static inline __attribute__((noinline)) const byte *read_long_number(
    const byte *at, const byte *end, const struct notation *notation, double *value)
{
    struct decimal read = {0, 0, true};
    bool negative = at_or_end(at, end) == '-';
    at += negative | (at_or_end(at, end) == '+');
    const byte *first = at;
    at = read_digits(at, end, &read);
    ptrdiff_t n_digits = at - first;
    if (at_or_end(at, end) == notation->mark) {
        first = at + 1;
        at = read_digits(first, end, &read);
        read.power -= at - first;
        n_digits += at - first;
    }
    return n_digits > 0 ? read_rest(at, end, notation, negative, &read, value) : NULL;
}

/* A bit for each of the bytes for which something holds. */
static inline unsigned where(bytes16 holds)
{
    bits16 bits = __builtin_convertvector(holds, bits16);
    uint16_t mask;
    __builtin_memcpy(&mask, &bits, 2);
    return mask;
}

/* Reads a number as most are: 15 bytes at most but for its exponent, with 25 to look at.

   Finding its end takes few steps, and the next number is begun while this one's digits are still
   multiplied. Returns the end, or NULL for a number of another form. */
static inline const byte *read_short_number(
    const byte *at, const byte *end, const struct notation *notation, double *value)
{
    bool plus = *at == '+';
    if (__builtin_expect(plus, 0))
        at++;
    unsigned negative = *at == '-';
    if (plus & negative)
        return NULL;
    bytes16 bytes;
    __builtin_memcpy(&bytes, at, 16);
    unsigned others = where(bytes - '0' > 9) & ~negative;
    if (others == 0)
        return NULL;
    int point = __builtin_ctz(others), length = point, before = point - (int)negative, after = 0;
    if (at[point] == notation->mark) {
        others &= others - 1;
        if (others == 0)
            return NULL;
        length = __builtin_ctz(others);
        after = length - point - 1;
    }
    if (before < 1 || before > 8 || after > 8)
        return NULL;
    uint64_t digits = number_of(eight(at + negative), before);
    if (after > 0)
        digits = digits * TENS[after] + number_of(eight(at + point + 1), after);
    at += length;
    if ((*at | 0x20) == 'e') {
        struct decimal read = {digits, -after, true};
        return read_rest(at, end, notation, negative, &read, value);
    }
    /* 15 digits are exact in a double, and so one operation rounds right. */
    *value = (double)(negative ? -(int64_t)digits : (int64_t)digits) / EXACT_TENS[after];
    return at;
}

/* Reads a number as scientific programs write all the bits of one, d.ddd…e+dd, with 17 to 19 digits
   and 32 bytes to look at. Returns the end, or NULL for a number of another form. */
static inline __attribute__((noinline)) const byte *read_scientific(
    const byte *at, const byte *end, const struct notation *notation, double *value)
{
    uint64_t sign = *at == '-';
    at += sign;
    uint64_t first = (byte)(*at - '0'), second = eight(at + 2), third = eight(at + 10);
    uint64_t last = eight(at + 18);
    int n = leading_digits(last);
    if (first > 9 || at[1] != notation->mark || leading_digits(second) < 8
        || leading_digits(third) < 8 || n > 2)
        return NULL;
    uint64_t digits = (first * TENS[8] + number_of(second, 8)) * TENS[8] + number_of(third, 8);
    if (n > 0)
        digits = digits * TENS[n] + number_of(last, n);
    at += 18 + n;
    unsigned tens = (byte)(at[2] - '0'), ones = (byte)(at[3] - '0');
    bool negative = at[1] == '-';
    if ((*at | 0x20) != 'e' || !(negative | (at[1] == '+')) || tens > 9 || ones > 9
        || (byte)(at_or_end(at + 4, end) - '0') < 10 || digits == 0)
        return NULL;
    int64_t exponent = (int64_t)(10 * tens + ones);
    if (!nearest(digits, (negative ? -exponent : exponent) - 16 - n, notation->powers, value)
        || *value > notation->magnitude)
        return NULL;
    uint64_t bits;
    __builtin_memcpy(&bits, value, 8);
    bits |= sign << 63;
    __builtin_memcpy(value, &bits, 8);
    return at + 4;
}

/* Reads a number in whatever form; returns its end, or NULL for what is none or is left. */
static inline const byte *read_number(
    const byte *at, const byte *end, const struct notation *notation, double *value)
{
    const byte *next = end - at >= 25 ? read_short_number(at, end, notation, value) : NULL;
    if (!next && end - at >= 32)
        next = read_scientific(at, end, notation, value);
    return next ? next : read_long_number(at, end, notation, value);
}
