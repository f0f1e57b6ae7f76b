// A table as text, read in the browser the way the service said that it read it.
export const DELIMITERS = { comma: ",", semicolon: ";", tab: "\t", pipe: "|", space: " " };
const YES = new Set(["true", "yes", "y", "t"]);
const NO = new Set(["false", "no", "n", "f"]);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SEPARATOR = /sep=.\r?\n/iy; // what Excel is told by its first line
export const MOST_BYTES = 64_000_000;

/** The file's text; of UTF-16 by its mark, of gzip unpacked. */
export async function textOf(blob, reading) {
  const stream = reading.gzip ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob.stream();
  const buffer = await new Response(stream).arrayBuffer();
  const head = new Uint8Array(buffer, 0, Math.min(2, buffer.byteLength));
  const encoding = reading.encoding === "utf-16" ? (head[0] === 0xfe ? "utf-16be" : "utf-16le") : reading.encoding;
  return new TextDecoder(encoding || "utf-8").decode(buffer);
}

/** Cells of the line that begins at `from`, and where the next line begins. */
export function cellsAt(text, from, delimiter) {
  const cells = [];
  const space = delimiter === " ";
  const mark = delimiter.charCodeAt(0);
  let at = from;
  for (;;) {
    if (space) while (text[at] === " " || text[at] === "\t") at += 1;
    let cell = "";
    if (text[at] === '"') {
      let end = at + 1;
      for (;;) {
        const quote = text.indexOf('"', end);
        if (quote < 0) return [cells.concat(text.slice(at + 1)), text.length];
        cell += text.slice(end, quote);
        if (text[quote + 1] !== '"') {
          at = quote + 1;
          break;
        }
        cell += '"';
        end = quote + 2;
      }
    }
    let stop = at;
    for (; stop < text.length; stop += 1) {
      const c = text.charCodeAt(stop);
      if (c === 10 || c === 13 || c === mark || (space && c === 9)) break;
    }
    cells.push(cell + text.slice(at, stop).trim());
    at = stop;
    const c = text[at];
    if (c === undefined || c === "\n") return [space && cells.at(-1) === "" ? cells.slice(0, -1) : cells, at + 1];
    if (c === "\r") return [cells, at + (text[at + 1] === "\n" ? 2 : 1)];
    at += 1;
  }
}

function afterLines(text, lines) {
  let at = 0;
  for (; lines > 0; lines -= 1) {
    const end = text.indexOf("\n", at);
    if (end < 0) return text.length;
    at = end + 1;
  }
  return at;
}

function numberIn(cell, comma) {
  const plain = comma ? cell.replace(",", ".") : cell;
  if (NUMBER.test(plain)) return Number(plain);
  const word = cell.toLowerCase();
  return YES.has(word) ? 1 : NO.has(word) ? 0 : NaN;
}

/**
 * Rows of a text: where each begins, and the numbers of the columns asked for (counted from 0).
 * `row(i)` has a row's cells as they stand in the file.
 */
export function rowsOf(text, reading, wanted) {
  const delimiter = DELIMITERS[reading.delimiter] || ",";
  const comma = reading.decimal === "comma";
  const starts = [];
  const numbers = new Map(wanted.map((column) => [column, []]));
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  at = Math.max(at, afterLines(text, reading.comments || 0));
  SEPARATOR.lastIndex = at;
  if (SEPARATOR.test(text)) at = SEPARATOR.lastIndex;
  if (reading.header === "present") at = cellsAt(text, at, delimiter)[1];
  while (at < text.length) {
    const [cells, next] = cellsAt(text, at, delimiter);
    if (cells.length > 1 || cells[0]?.trim()) {
      starts.push(at);
      for (const [column, list] of numbers) list.push(numberIn(cells[column] ?? "", comma));
    }
    at = next;
  }
  return {
    n: starts.length,
    numbers: new Map([...numbers].map(([column, list]) => [column, Float64Array.from(list)])),
    row: (index) => cellsAt(text, starts[index], delimiter)[0],
  };
}

/** The lines around one that the service could not read, for a look at the place. */
export async function excerpt(file, line, around = 2) {
  if (!file || file.size > MOST_BYTES) return null;
  const lines = (await file.text()).split(/\r\n|\n|\r/);
  if (line > lines.length) return null;
  const first = Math.max(1, line - around);
  return lines
    .slice(first - 1, line + around)
    .map((text, index) => ({ number: first + index, text: text.slice(0, 2000), wrong: first + index === line }));
}

/** How many of the numbers fall into each of `bins` equal parts of their range. */
export function histogram(numbers, least, largest, bins = 16) {
  const counts = new Array(bins).fill(0);
  const width = (largest - least) / bins || 1;
  for (const value of numbers) {
    if (!Number.isNaN(value)) counts[Math.min(bins - 1, Math.floor((value - least) / width))] += 1;
  }
  return counts;
}
