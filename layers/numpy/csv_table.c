/* Rows of a table of any dialect: the fast reader of the grammar in kmeans_service/tables/grammar.py.

   `survey_rows` counts, column by column, what the cells are; `read_columns` reads the columns that
   are used, and passes over the others. Both stop before the first row that they do not vouch for:
   one against the grammar, over a limit, not whole yet, or with a cell that needs more than ASCII
   to be told. That row is left to the grammar itself, which reads or refuses it.

   Nothing is allocated, nothing is kept, no library is called, and no byte outside of what is given
   is touched. */

#include "decimals.h"

enum role { SKIPPED, NUMBER_ROLE, BOOLEAN_ROLE, LEVEL_ROLE };
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

struct place { uint64_t line, length; byte text[48]; };

struct column {
    uint64_t kinds[N_KINDS];
    uint64_t pointed, whole, flags;      /* numbers with a decimal mark; integers; those 0 or 1 */
    uint64_t digits, padded, dates;      /* of digits alone; with a zero before; yyyymmdd or yyyymm */
    uint64_t shortest, longest;          /* digits of such cells */
    uint64_t rises, steps;               /* numbers larger than the one before; by exactly one */
    uint64_t distinct, first_hash, varied; /* present cells unlike the first one */
    uint64_t text_bytes;                 /* of the longest cell that is no number */
    double first, last, least, largest, mean, squares; /* the mean is less the first */
    struct place missing, boolean, other; /* the first of each */
};

struct survey {
    uint64_t rows, blanks, line; /* line is the number of the next row's first line */
    uint64_t filled, capacity, n_slots; /* of the distinct values of all columns together */
    uint64_t *slots;                    /* 2^n of them, more than capacity; NULL: none are counted */
    struct column *columns;
    struct cell *cells; /* room for those of one row */
};

/* `down` is by how many lines it begins below its row. */
struct cell { const byte *begin; size_t length; uint64_t kind, down; double value; };

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
static struct step find_cell(const byte *at, const byte *end, const struct format *format,
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

/* The line after one of nothing but delimiters and blanks, or NULL where this is none. */
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

/* Whether UTF-8 for a letter begins here; false for many that are less common. */
static inline bool is_letter(const byte *at, const byte *end)
{
    byte lead = *at, next = at_or_end(at + 1, end);
    return (lead == 0xC3 && next != 0x97 && next != 0xB7) || (lead >= 0xC4 && lead <= 0xC9)
        || lead == 0xD0 || lead == 0xD1 || (lead >= 0xE5 && lead <= 0xE9) || lead == 0xEB
        || lead == 0xEC;
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
static unsigned kind_of(const byte *text, size_t length)
{
    if (length == 0)
        return EMPTY;
    unsigned word = kind_of_word(text, length);
    if (word != UNSURE)
        return word;
    bool digit = false, exponent = false, strange = false, beyond_ascii = false;
    for (size_t i = 0; i < length; i++) {
        byte small = text[i] | 0x20, number = text[i] - '0';
        if (small >= 'a' && small <= 'z' && small != 'e')
            return OTHER;
        if (text[i] >= 0x80) {
            if (is_letter(text + i, text + length))
                return OTHER;
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
    return strange ? OTHER : UNSURE;
}

/* --- counting ---------------------------------------------------------------------------- */

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

static void count_distinct(struct survey *survey, struct column *column, size_t index, uint64_t hash)
{
    if (!survey->slots || survey->filled > survey->capacity)
        return;
    uint64_t wanted = mixed(hash + index * 0xD1342543DE82EF95) | 1;
    for (uint64_t slot = wanted >> 20;; slot++) {
        uint64_t *found = &survey->slots[slot & (survey->n_slots - 1)];
        if (*found == wanted)
            return;
        if (*found == 0) {
            *found = wanted;
            survey->filled++;
            column->distinct++;
            return;
        }
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

static void add_number(struct column *column, const struct cell *cell, byte mark)
{
    double value = cell->value;
    uint64_t count = ++column->kinds[NUMBER];
    bool whole = value < -9007199254740992.0 || value > 9007199254740992.0
        || value == (double)(int64_t)value;
    column->whole += whole;
    column->flags += value == 0 || value == 1;
    if (count == 1) {
        column->first = column->least = column->largest = value;
    } else {
        column->rises += value > column->last;
        column->steps += value == column->last + 1;
        if (value < column->least)
            column->least = value;
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
        add_number(column, cell, mark);
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
    count_distinct(survey, column, index, hash);
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
        cell->kind = kind_of(begin, cell->length);
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

/* --- reading ----------------------------------------------------------------------------- */

/* The value of a cell in the role: NaN for a missing one, 1 or 0 for a boolean. */
static __attribute__((noinline)) bool value_of(const byte *begin, const byte *stop, unsigned role,
                            const struct format *format, double *value)
{
    if (begin < stop && read_number(begin, stop, &format->notation, value) == stop)
        return (size_t)(stop - begin) <= format->cell_length;
    unsigned kind = kind_of(begin, (size_t)(stop - begin));
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

/* Reads the used cells of rows from text + *begin on, `capacity` rows at most; returns how many.

   roles    of each cell
   line     of the next row; goes on with it
   rows     shape (capacity, used cells): numbers, NaN for missing ones, 0 in the place of a level
   levels   shape (capacity, levels, 2): where their texts begin, and how long they are, in bytes
   What stands in rows and levels for a row that is left is arbitrary. */
size_t read_columns(const byte *text, size_t length, size_t *begin, const struct format *format,
                    const byte *roles, uint64_t *line, double *rows, uint64_t *levels,
                    size_t capacity)
{
    const byte *end = text + length;
    size_t n_rows = 0;
    while (n_rows < capacity && *begin < length) {
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
        uint64_t lines = 1;
        struct step step = {at, MORE};
        size_t column = 0, used = 0, n_levels = 0;
        for (; column < format->n_cells && step.after == MORE; column++) {
            step = read_cell_of_row(step.at, end, format, roles[column], &rows[used],
                                    &levels[2 * n_levels], &lines, text);
            n_levels += roles[column] == LEVEL_ROLE;
            used += roles[column] != SKIPPED;
        }
        at = step.at;
        if (step.after != LAST || column < format->n_cells
            || (size_t)(at - text) - *begin > format->row_length)
            break;
        rows += used;
        levels += 2 * n_levels;
        *begin = (size_t)(at - text);
        *line += lines;
        n_rows++;
    }
    return n_rows;
}
