/* Reads the columns of a table that are used, and passes over the others. It stops before the first
   row that it does not vouch for (table.h).

   Nothing is allocated, nothing is kept, no library is called, and no byte outside of what is given
   is touched. */

#include "table.h"

enum role { SKIPPED, NUMBER_ROLE, BOOLEAN_ROLE, LEVEL_ROLE };

/* The value of a cell in the role: NaN for a missing one, 1 or 0 for a boolean. */
static __attribute__((noinline)) bool value_of(const byte *begin, const byte *stop, unsigned role,
                            const struct format *format, double *value)
{
    if (begin < stop && read_number(begin, stop, &format->notation, value) == stop)
        return (size_t)(stop - begin) <= format->cell_length;
    unsigned kind = kind_of(begin, (size_t)(stop - begin), format->notation.mark);
    if (kind == EMPTY || kind == MISSING) {
        *value = __builtin_nan("");
        return true;
    }
    *value = !((kind - FIRST_BOOLEAN) & 1);
    return role == BOOLEAN_ROLE && kind >= FIRST_BOOLEAN && kind < N_KINDS;
}

/* A cell that is not used, a level, or a number that does not begin and end as one. */
static __attribute__((noinline)) struct step read_other(
    const byte *at, const byte *end, const struct format *format, unsigned role, double *value,
    uint64_t *level, uint64_t *lines, const byte *text)
{
    const byte *begin, *stop = at;
    struct step step = find_cell(at, end, format, &begin, &stop, lines);
    if (step.after == LEFT || role == SKIPPED)
        return step;
    if (role == LEVEL_ROLE) {
        *value = 0;
        level[0] = (uint64_t)(begin - text);
        level[1] = (uint64_t)(stop - begin);
    } else if (!value_of(begin, stop, role, format, value)) {
        step.after = LEFT;
    }
    return step;
}

static inline struct step read_cell_of_row(
    const byte *at, const byte *end, const struct format *format, unsigned role, double *value,
    uint64_t *level, uint64_t *lines, const byte *text)
{
    if (role == NUMBER_ROLE) {
        const byte *begin = skip_blanks(at, end, format->delimiter);
        const byte *next = read_number(begin, end, &format->notation, value);
        if (next && (size_t)(next - begin) <= format->cell_length) {
            struct step step = end_of_cell(next, end, format);
            if (step.after != LEFT)
                return step;
        }
    }
    return read_other(at, end, format, role, value, level, lines, text);
}

/* A row of nothing but numbers as most are written; the next row, or NULL for one of another form. */
static inline const byte *read_plain_row(
    const byte *at, const byte *end, const struct format *format, double *rows)
{
    const struct notation notation = format->notation;
    const byte *first = at;
    for (size_t column = 0; column < format->n_cells; column++) {
        if (column > 0 && (at == end || *at++ != format->delimiter))
            return NULL;
        const byte *begin = at;
        at = read_number(at, end, &notation, &rows[column]);
        if (!at || (size_t)(at - begin) > format->cell_length)
            return NULL;
    }
    if (at < end)
        at += *at == '\r';
    if (at_or_end(at, end) != '\n' || (size_t)(at + 1 - first) > format->row_length)
        return NULL;
    return at + 1;
}

static inline void set_end(uint64_t *end, uint64_t line, uint64_t surplus)
{
    end[0] = line;
    end[1] = surplus;
}

/* How many bytes there are from `at` on up to a row's line break, behind which is `end`. */
static inline size_t before_break(const byte *at, const byte *end)
{
    while (end > at && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    return (size_t)(end - at);
}

/* Reads the used cells of rows from text + *begin on, `capacity` rows at most; returns how many.

   roles    of each cell
   line     of the next row; goes on with it
   rows     shape (capacity, used cells): numbers, NaN for missing ones, 0 in the place of a level
   levels   shape (capacity, levels, 2): where their texts begin, and how long they are, in bytes
   ends     NULL, or shape (capacity, 2): of each row the number of the line behind it, and how many
            bytes stand between its last cell and its line break: delimiters too many, and blanks
   What stands in rows and levels for a row that is left is arbitrary. */
size_t read_columns(const byte *text, size_t length, size_t *begin, const struct format *format,
                    const byte *roles, uint64_t *line, double *rows, uint64_t *levels,
                    uint64_t *ends, size_t capacity)
{
    const byte *end = text + length;
    size_t n_rows = 0;
    bool plain = format->delimiter != ' ';
    for (size_t column = 0; column < format->n_cells; column++)
        plain &= roles[column] == NUMBER_ROLE;
    while (n_rows < capacity && *begin < length) {
        const byte *next = plain ? read_plain_row(text + *begin, end, format, rows) : NULL;
        if (next) {
            rows += format->n_cells;
            *begin = (size_t)(next - text);
            ++*line;
            if (ends)
                set_end(ends + 2 * n_rows, *line, 0);
            n_rows++;
            continue;
        }
        const byte *at = text + *begin, *blank = after_blank_line(at, end, format);
        if (blank) {
            if ((size_t)(blank - at) > format->row_length)
                break;
            *begin = (size_t)(blank - text);
            ++*line;
            continue;
        }
        if (format->delimiter == ' ')
            at = skip_blanks(at, end, ' ');
        uint64_t n_lines = 1;
        struct step step = {at, MORE};
        size_t column = 0, used = 0, n_levels = 0;
        for (; column < format->n_cells && step.after == MORE; column++) {
            step = read_cell_of_row(step.at, end, format, roles[column], &rows[used],
                                    &levels[2 * n_levels], &n_lines, text);
            n_levels += roles[column] == LEVEL_ROLE;
            used += roles[column] != SKIPPED;
        }
        at = step.at;
        size_t surplus = 0;
        if (step.after == MORE && (at = after_blank_line(step.at, end, format))) {
            step.after = LAST;
            surplus = before_break(step.at - 1, at);
        }
        if (step.after != LAST || column < format->n_cells
            || (size_t)(at - text) - *begin > format->row_length)
            break;
        rows += used;
        levels += 2 * n_levels;
        *begin = (size_t)(at - text);
        *line += n_lines;
        if (ends)
            set_end(ends + 2 * n_rows, *line, surplus);
        n_rows++;
    }
    return n_rows;
}
