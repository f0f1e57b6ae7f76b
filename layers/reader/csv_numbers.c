/* Rows of decimal numbers to doubles: the fast reader of the grammar in csv_grammar.py.

   It stops at the first row that it does not vouch for: one against the grammar, over a limit, or
   with a number that takes more than 128 bits to round. That row is left to the grammar itself,
   which reads or refuses it.

   Nothing is allocated, nothing is kept, no library is called, and no byte outside of the text and
   the rows is touched. */

#include "decimals.h"

struct rules {
    size_t n_features;
    size_t cell_length;         /* bytes that a cell has at most, without the spaces around it */
    double magnitude;           /* what no number exceeds; 1e38 or more */
    const struct power *powers; /* from LEAST_POWER to LARGEST_POWER */
};

static inline const byte *skip_spaces(const byte *at, const byte *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Returns where the cell ends, its spaces included, or NULL for one to leave. */
static inline const byte *read_cell(
    const byte *at, const byte *end, const struct rules *rules, double *value)
{
    struct notation notation = {'.', rules->magnitude, rules->powers};
    const byte *begin = skip_spaces(at, end), *next;
    bool quoted = at_or_end(begin, end) == '"';
    at = begin;
    if (__builtin_expect(quoted, 0)) /* a jump: the next bytes need not wait for the answer */
        at++;
    next = read_number(at, end, &notation, value);
    if (!next || (quoted && (next == end || *next++ != '"')))
        return NULL;
    if ((size_t)(next - begin) > rules->cell_length)
        return NULL;
    return skip_spaces(next, end);
}

/* Reads rows from text + *begin on, `capacity` of them at most; returns how many it has read.

   text   whole lines, the last one without its line break, `length` bytes
   begin  where a line begins; after the call the line to go on with, length + 1 if there is none
   rows   shape (capacity, n_features); what stands in it after the rows read is arbitrary */
size_t read_rows(const byte *text, size_t length, size_t *begin, const struct rules *rules,
                 double *rows, size_t capacity)
{
    const byte *end = text + length;
    size_t n_rows = 0;
    for (; n_rows < capacity && *begin <= length; n_rows++) {
        const byte *at = text + *begin;
        for (size_t column = 0; column < rules->n_features; column++) {
            if (column > 0 && (at == end || *at++ != ','))
                return n_rows;
            if (!(at = read_cell(at, end, rules, rows++)))
                return n_rows;
        }
        if (at < end) {
            at += *at == '\r';
            if (at_or_end(at, end) != '\n')
                return n_rows;
        }
        *begin = (size_t)(at - text) + 1;
    }
    return n_rows;
}
