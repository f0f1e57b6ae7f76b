/* Counts, column by column, what the cells of a table are. It stops before the first row that it
   does not vouch for (table.h).

   Nothing is allocated, nothing is kept, no library is called, and no byte outside of what is given
   is touched. */

#include "table.h"

/* `down` is by how many lines it begins below its row. */
struct cell { const byte *begin; size_t length; uint64_t kind, down; double value; };

struct place { uint64_t line, length; byte text[48]; };

struct column {
    uint64_t kinds[N_KINDS];
    uint64_t pointed, whole, flags;      /* numbers with a decimal mark; integers; those 0 or 1 */
    uint64_t digits, padded, dates;      /* of digits alone; with a zero before; yyyymmdd or yyyymm */
    uint64_t shortest, longest;          /* digits of such cells */
    uint64_t rises, steps;               /* numbers larger than the one before; by exactly one */
    uint64_t distinct, first_hash, varied; /* present cells unlike the first one */
    uint64_t text_bytes;                 /* of the longest cell that is no number */
    uint64_t more;                       /* 1 where not all distinct cells were counted */
    uint64_t least_line;                 /* where the first of the least numbers stands */
    double first, last, least, largest, mean, squares; /* the mean is less the first */
    struct place missing, boolean, other; /* the first of each */
};

struct survey {
    uint64_t rows, blanks, line; /* line is the number of the next row's first line */
    uint64_t filled, capacity, n_slots; /* of the distinct values of all columns together */
    uint64_t *slots;                    /* 2^n of them, well over capacity; NULL: none are counted */
    uint16_t *owners;                   /* of each slot, whose column's value it holds; or NULL */
    struct column *columns;
    struct cell *cells; /* room for those of one row */
};

static inline uint64_t mixed(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15;
    hash ^= hash >> 29;
    hash *= 0xBF58476D1CE4E5B9;
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct cell *cell)
{
    if (cell->kind == NUMBER) {
        uint64_t bits;
        __builtin_memcpy(&bits, &cell->value, 8);
        return mixed(bits ^ 0x5851F42D4C957F2D);
    }
    uint64_t hash = cell->length + 1;
    for (size_t i = 0; i < cell->length; i++) {
        hash = (hash ^ cell->begin[i]) * 0x100000001B3;
        hash ^= hash >> 47;
    }
    return mixed(hash);
}

/* Texts have an eighth more room than numbers, which take all of theirs in many files. */
static void count_distinct(struct survey *survey, struct column *column, size_t index, uint64_t hash,
                           bool text)
{
    uint64_t capacity = survey->capacity + (text ? survey->capacity / 8 : 0);
    if (!survey->slots || column->more)
        return;
    uint64_t wanted = mixed(hash + index * 0xD1342543DE82EF95) | 1;
    for (uint64_t slot = wanted >> 20;; slot++) {
        uint64_t *found = &survey->slots[slot & (survey->n_slots - 1)];
        if (*found == wanted)
            return;
        if (*found == 0 && survey->filled >= capacity) {
            column->more = 1;
            return;
        }
        if (*found == 0) {
            *found = wanted;
            if (survey->owners)
                survey->owners[slot & (survey->n_slots - 1)] = (uint16_t)index;
            survey->filled++;
            column->distinct++;
            return;
        }
    }
}

/* Puts different values there, as the slots of another survey had them. */
void know_values(struct survey *survey, const uint64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = values[i] >> 20;
        while (survey->slots[slot & (survey->n_slots - 1)])
            slot++;
        survey->slots[slot & (survey->n_slots - 1)] = values[i];
        survey->filled++;
    }
}

static void note(struct place *place, uint64_t line, const struct cell *cell)
{
    if (place->line)
        return;
    place->line = line;
    place->length = cell->length;
    for (size_t i = 0; i < cell->length && i < sizeof place->text; i++)
        place->text[i] = cell->begin[i];
}

static inline bool is_date(uint64_t digits, size_t length)
{
    if (length != 8 && length != 6)
        return false;
    uint64_t day = length == 8 ? digits % 100 : 1, months = length == 8 ? digits / 100 : digits;
    uint64_t month = months % 100, year = months / 100;
    return year >= 1500 && year < 2200 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static void add_digits(struct column *column, const struct cell *cell, byte mark)
{
    const byte *begin = cell->begin, *end = begin + cell->length, *at = begin;
    at += at < end && (*at == '-' || *at == '+');
    for (int n = 8; n == 8; at += n)
        n = leading_digits(up_to_eight(at, end));
    if (at < end) {
        column->pointed += *at == mark;
    } else if ((byte)(*begin - '0') < 10) {
        size_t length = cell->length;
        column->digits++;
        column->padded += length > 1 && *begin == '0';
        column->dates += is_date((uint64_t)cell->value, length);
        if (column->shortest == 0 || length < column->shortest)
            column->shortest = length;
        if (length > column->longest)
            column->longest = length;
    }
}

static void add_number(struct column *column, const struct cell *cell, uint64_t line, byte mark)
{
    double value = cell->value;
    uint64_t count = ++column->kinds[NUMBER];
    bool whole = value < -9007199254740992.0 || value > 9007199254740992.0
        || value == (double)(int64_t)value;
    column->whole += whole;
    column->flags += value == 0 || value == 1;
    if (count == 1) {
        column->first = column->least = column->largest = value;
        column->least_line = line;
    } else {
        column->rises += value > column->last;
        column->steps += value == column->last + 1;
        if (value < column->least) {
            column->least = value;
            column->least_line = line;
        }
        if (value > column->largest)
            column->largest = value;
    }
    column->last = value;
    /* Welford's update, of the distances from the first one: no offset costs digits. */
    double distance = value - column->first, delta = distance - column->mean;
    column->mean += delta / (double)count;
    column->squares += delta * (distance - column->mean);
    add_digits(column, cell, mark);
}

/* Counts one cell of the row that begins at survey->line. */
void add_cell(struct survey *survey, size_t index, const struct cell *cell, byte mark)
{
    struct column *column = &survey->columns[index];
    if (cell->kind == NUMBER) {
        add_number(column, cell, survey->line + cell->down, mark);
    } else {
        column->kinds[cell->kind]++;
        bool missing = cell->kind == EMPTY || cell->kind == MISSING;
        note(missing ? &column->missing
             : cell->kind >= FIRST_BOOLEAN ? &column->boolean : &column->other,
             survey->line + cell->down, cell);
        if (missing)
            return;
        if (cell->length > column->text_bytes)
            column->text_bytes = cell->length;
    }
    uint64_t hash = hash_of(cell);
    if (column->first_hash == 0)
        column->first_hash = hash | 1;
    column->varied += column->first_hash != (hash | 1);
    count_distinct(survey, column, index, hash, cell->kind != NUMBER);
}

/* A cell that does not begin with a number and end there. */
static __attribute__((noinline)) struct step survey_other(
    const byte *at, const byte *end, const struct format *format, struct cell *cell,
    uint64_t *lines)
{
    const byte *begin, *stop = at;
    struct step step = find_cell(at, end, format, &begin, &stop, lines);
    if (step.after == LEFT)
        return step;
    cell->begin = begin;
    cell->length = (size_t)(stop - begin);
    if (begin < stop && read_number(begin, stop, &format->notation, &cell->value) == stop) {
        cell->kind = cell->length <= format->cell_length ? NUMBER : UNSURE;
    } else {
        cell->kind = kind_of(begin, cell->length, format->notation.mark);
    }
    if (cell->kind == UNSURE)
        step.after = LEFT;
    return step;
}

/* Finds a cell and its kind; returns what follows, LEFT also for a cell to be told by the grammar. */
static inline struct step survey_cell(const byte *at, const byte *end, const struct format *format,
                                      struct cell *cell, uint64_t *lines)
{
    const byte *begin = skip_blanks(at, end, format->delimiter);
    const byte *next = read_number(begin, end, &format->notation, &cell->value);
    cell->down = *lines - 1;
    if (next && (size_t)(next - begin) <= format->cell_length) {
        struct step step = end_of_cell(next, end, format);
        if (step.after != LEFT) {
            cell->kind = NUMBER;
            cell->begin = begin;
            cell->length = (size_t)(next - begin);
            return step;
        }
    }
    return survey_other(at, end, format, cell, lines);
}

/* Counts the cells of rows from text + *begin on, `most` rows at most; returns how many it has. */
size_t survey_rows(const byte *text, size_t length, size_t *begin, const struct format *format,
                   struct survey *survey, size_t most)
{
    const byte *end = text + length;
    size_t n_rows = 0;
    while (n_rows < most && *begin < length) {
        const byte *at = text + *begin, *blank = after_blank_line(at, end, format);
        if (blank) {
            if ((size_t)(blank - at) > format->row_length)
                break;
            *begin = (size_t)(blank - text);
            survey->blanks++;
            survey->line++;
            continue;
        }
        if (format->delimiter == ' ')
            at = skip_blanks(at, end, ' ');
        uint64_t lines = 1;
        struct step step = {at, MORE};
        size_t column = 0;
        for (; column < format->n_cells && step.after == MORE; column++)
            step = survey_cell(step.at, end, format, &survey->cells[column], &lines);
        at = step.at;
        if (step.after == MORE && (at = after_blank_line(step.at, end, format)))
            step.after = LAST;
        if (step.after != LAST || column < format->n_cells
            || (size_t)(at - text) - *begin > format->row_length)
            break;
        for (column = 0; column < format->n_cells; column++)
            add_cell(survey, column, &survey->cells[column], format->notation.mark);
        *begin = (size_t)(at - text);
        survey->line += lines;
        survey->rows++;
        n_rows++;
    }
    return n_rows;
}
