/* Cells of a table of any dialect: where each one ends, and what it is; the fast part of the grammar
   in kmeans_service/tables/grammar.py.

   A row that it does not vouch for is left: one against the grammar, over a limit, not whole yet,
   or with a cell that needs more than ASCII to be told. The grammar itself reads or refuses it. */

#pragma once

#include "decimals.h"

/* After these, a kind for each way to write a boolean, in the order of BOOLEANS. */
enum kind { NUMBER, EMPTY, MISSING, NEAR, OTHER, FIRST_BOOLEAN, N_KINDS = FIRST_BOOLEAN + 18, UNSURE };
enum after { MORE, LAST, LEFT };

struct step { const byte *at; enum after after; };

struct format {
    size_t n_cells;     /* of each row */
    size_t cell_length; /* bytes that a number has at most */
    size_t row_length;  /* bytes that a row has at most, its line break included */
    struct notation notation;
    byte delimiter; /* a space stands for any run of spaces and tabs */
    bool whole;     /* whether the text ends where the file does */
};

/* --- where cells end --------------------------------------------------------------------- */

static inline const byte *skip_blanks(const byte *at, const byte *end, byte delimiter)
{
    while (at < end && (*at == ' ' || (*at == '\t' && delimiter != '\t')))
        at++;
    return at;
}

static inline const byte *before_blanks(const byte *begin, const byte *end)
{
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return end;
}

/* What follows a cell, and where the next cell or row begins. */
static inline struct step end_of_cell(const byte *at, const byte *end, const struct format *format)
{
    if (at < end && format->delimiter != ' ') { /* as most cells end */
        if (*at == format->delimiter)
            return (struct step){at + 1, MORE};
        if (*at == '\n')
            return (struct step){at + 1, LAST};
    }
    const byte *blanks = at;
    at = skip_blanks(at, end, format->delimiter);
    if (at < end && *at == format->delimiter)
        return (struct step){at + 1, MORE};
    const byte *next = at;
    while (next < end && *next == '\r')
        next++;
    if (next < end && *next == '\n')
        return (struct step){next + 1, LAST};
    if (next == end)
        return (struct step){end, format->whole ? LAST : LEFT};
    bool separated = format->delimiter == ' ' && at > blanks && next == at;
    return (struct step){at, separated ? MORE : LEFT};
}

static inline const byte *end_of_bare(const byte *at, const byte *end, byte delimiter)
{
    byte other = delimiter == ' ' ? '\t' : delimiter;
    for (; end - at >= 16; at += 16) {
        bytes16 bytes;
        __builtin_memcpy(&bytes, at, 16);
        unsigned stops = where((bytes == delimiter) | (bytes == other) | (bytes == '\n')
                               | (bytes == '\r') | (bytes == 0));
        if (stops)
            return at + __builtin_ctz(stops);
    }
    while (at < end && *at != delimiter && *at != other && *at != '\n' && *at != '\r' && *at)
        at++;
    return at;
}

/* Where the quote that closes a cell stands, the text beginning behind the one that opens it. */
static inline const byte *end_of_quoted(const byte *at, const byte *end, uint64_t *lines)
{
    for (; at < end; at++) {
        *lines += *at == '\n';
        if (*at == '"') {
            if (at_or_end(at + 1, end) != '"')
                return at;
            at++;
        }
    }
    return NULL;
}

/* Finds a cell's text without quotes and blanks around it; returns what follows. */
static inline struct step find_cell(const byte *at, const byte *end, const struct format *format,
                             const byte **begin, const byte **stop, uint64_t *lines)
{
    at = *begin = skip_blanks(at, end, format->delimiter);
    if (at_or_end(at, end) == '"') {
        at = end_of_quoted(at + 1, end, lines);
        if (!at)
            return (struct step){NULL, LEFT};
        *begin = skip_blanks(*begin + 1, at, 0);
        *stop = before_blanks(*begin, at);
        at++;
    } else {
        at = end_of_bare(at, end, format->delimiter);
        *stop = before_blanks(*begin, at);
    }
    return end_of_cell(at, end, format);
}

/* The line after the rest of one, of nothing but delimiters and blanks; NULL where this is more. */
static inline const byte *after_blank_line(
    const byte *at, const byte *end, const struct format *format)
{
    if (at < end && *at > ',' && *at != format->delimiter) /* as most rows begin */
        return NULL;
    while (at < end && (*at == ' ' || *at == '\t' || *at == format->delimiter))
        at++;
    while (at < end && *at == '\r')
        at++;
    if (at == end)
        return format->whole ? end : NULL;
    return *at == '\n' ? at + 1 : NULL;
}

/* --- what cells are ---------------------------------------------------------------------- */

static const char BOOLEANS[18][6] = {
    "TRUE", "FALSE", "True", "False", "true", "false", "YES", "NO", "Yes",
    "No", "yes", "no", "Y", "N", "y", "n", "T", "F"};
static const char MISSING_WORDS[26][10] = {
    "NA", "NaN", "nan", "N/A", "n/a", "null", "NULL", "None", "nil", "NaT", "<NA>", "#N/A", "#NA",
    "#N/A N/A", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#DIV/0!", "#VALUE!",
    "#REF!", "#NUM!", "#NAME?", "#NULL!"};

static inline bool is_word(const byte *text, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != (byte)word[i])
            return false;
    return word[length] == 0;
}

/* MISSING, a kind of boolean, or UNSURE for every other word. */
static inline unsigned kind_of_word(const byte *text, size_t length)
{
    if (length > 9)
        return UNSURE;
    switch (*text) {
    case 'T': case 'F': case 't': case 'f': case 'Y': case 'N': case 'y': case 'n':
        for (unsigned i = 0; i < 18; i++)
            if (length < 6 && is_word(text, length, BOOLEANS[i]))
                return FIRST_BOOLEAN + i;
        if (*text != 'N' && *text != 'n')
            return UNSURE;
        break;
    case '<': case '#': case '-': case '1':
        break;
    default:
        return UNSURE;
    }
    for (unsigned i = 0; i < 26; i++)
        if (is_word(text, length, MISSING_WORDS[i]))
            return MISSING;
    return UNSURE;
}

/* What is nearly a number: with a dollar or percent sign, or with the other decimal mark or commas
   between thousands. True only where the grammar says so too, which knows more signs. */
static inline bool is_near(const byte *at, size_t length, byte mark)
{
    const byte *end = at + length;
    bool sign = false, digits = false;
    at += *at == '+' || *at == '-';
    if (at_or_end(at, end) == '$') {
        sign = true;
        at++;
    }
    const byte *first = at, *comma = NULL, *other = NULL;
    for (; at < end && ((byte)(*at - '0') < 10 || *at == ',' || *at == '.'); at++) {
        digits |= (byte)(*at - '0') < 10;
        if (*at == ',' || *at == '.') {
            /* a mark after the first one stands behind three digits and has another sign */
            if (comma && (other || *at == *comma || at - comma != 4))
                return false;
            other = comma ? at : NULL;
            comma = comma ? comma : at;
        }
    }
    if (other && (comma == first || comma - first > 3))
        return false;
    sign |= comma && (other || *comma != mark);
    if (at_or_end(at, end) == '%' || at_or_end(at, end) == '$') {
        sign = true;
        at++;
    }
    return at == end && digits && sign;
}

/* Whether UTF-8 for a letter begins here; false for many that are less common. */
static inline bool is_letter(const byte *at, const byte *end)
{
    byte lead = *at, next = at_or_end(at + 1, end);
    return (lead == 0xC3 && next != 0x97 && next != 0xB7) || (lead >= 0xC4 && lead <= 0xC9)
        || lead == 0xD0 || lead == 0xD1 || (lead >= 0xE5 && lead <= 0xE9) || lead == 0xEB
        || lead == 0xEC
        /* kana, but for those that are signs */
        || (lead == 0xE3 && next == 0x81 && at_or_end(at + 2, end) > 0x80)
        || (lead == 0xE3 && next == 0x83 && at_or_end(at + 2, end) < 0xBB);
}

/* Whether UTF-8 for a dash, a quote or another sign of general punctuation begins here. */
static inline bool is_punctuation(const byte *at, const byte *end)
{
    return end - at >= 3 && at[0] == 0xE2 && at[1] == 0x80;
}

static inline bool is_strange(byte sign)
{
    switch (sign) {
    case ':': case '/': case '_': case '<': case '>': case '=': case ';': case '&': case '@':
    case '*': case '|': case '~': case '^': case '\\': case '"': case '[': case ']': case '{':
    case '}': case '(': case ')': case '#': case '!': case '?':
        return true;
    default:
        return false;
    }
}

/* The kind of a cell that is not read as a number; UNSURE where the grammar must say. */
static inline unsigned kind_of(const byte *text, size_t length, byte mark)
{
    if (length == 0)
        return EMPTY;
    const byte *end = text + length;
    while (end - text >= 2 && text[0] == 0xC2 && text[1] == 0xA0) /* no-break spaces */
        text = skip_blanks(text + 2, end, 0);
    while (end - text >= 2 && end[-2] == 0xC2 && end[-1] == 0xA0)
        end = before_blanks(text, end - 2);
    length = (size_t)(end - text);
    if (length == 0)
        return MISSING;
    unsigned word = kind_of_word(text, length);
    if (word != UNSURE)
        return word;
    bool digit = false, exponent = false, strange = false, beyond_ascii = false,
         dash = false;
    for (size_t i = 0; i < length; i++) {
        byte small = text[i] | 0x20, number = text[i] - '0';
        if (small >= 'a' && small <= 'z' && small != 'e')
            return OTHER;
        if (text[i] >= 0x80) {
            if (is_letter(text + i, text + length))
                return OTHER;
            if (is_punctuation(text + i, text + length)) {
                i += 2;
                dash = true;
                continue;
            }
            beyond_ascii = true;
        }
        exponent |= small == 'e';
        strange |= is_strange(text[i]) || (text[i] == '-' && digit && i > 0
                                           && (byte)(text[i - 1] - '0') < 10);
        digit |= number < 10;
    }
    if (beyond_ascii)
        return UNSURE;
    if (!digit)
        return exponent ? OTHER : MISSING;
    if (dash)
        return UNSURE;
    return strange ? OTHER : is_near(text, length, mark) ? NEAR : UNSURE;
}
