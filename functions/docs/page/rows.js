// The file's rows: read in the browser where it can, else as the service made them.
import * as service from "./service.js";
import { changed, state } from "./state.js";
import { histogram, MOST_BYTES, rowsOf, textOf } from "./table.js";

const HEAD = 1_000_000; // bytes of a larger file, for its first rows
const TEXT = /\.(csv|tsv|txt|dat|data|tab)(\.gz)?$/i;

export const measured = (table) => table.columns.filter((column) => ["numbers", "boolean"].includes(column.kind));

export const MOST_ROWS = 300_000; // of a file that only the service can read
const SAID = { distance: 2, outlier: 5 }; // cells that the service puts behind a row's own: which is which

/** The rows as the service made them, with what it says of each; into the state. */
export async function askRows(signal) {
  const { job, table, rows } = state;
  const answer = await service.made(`jobs/${job.job_id}/rows`, { headers: { Accept: "text/csv" }, signal });
  const text = await textOf(await answer.blob(), { ...table.reading, gzip: false });
  const behind = Object.values(SAID).map((index) => table.n_columns + index);
  const read = rowsOf(text, table.reading, [...measured(table).map((column) => column.number - 1), ...behind]);
  if (read.n !== table.n_rows) return;
  const [distances, outliers] = behind.map((index) => read.numbers.get(index));
  if (!rows) histograms(table, read);
  changed({ rows: rows ?? read, told: { distances, outliers } });
}

function histograms(table, rows) {
  for (const column of measured(table)) {
    column.bins = histogram(rows.numbers.get(column.number - 1), column.least, column.largest);
  }
}

/** The file's rows, for the picture and the first lines; of one that is too large its first lines, of one that is no text none. */
export async function readRows(id, table, job) {
  if (job.files) return; // of a dataset, whose rows a run reads, which costs: who wants them asks for them
  if ((job.size ?? 0) > MOST_BYTES) return readHead(table, job);
  let file = state.file;
  if (!file) {
    const answer = await service.call(`jobs/${id}/input`, { headers: { Accept: "*/*" } });
    file = new File([await answer.blob()], job.filename);
    state.file = file;
  }
  if (await isNoText(file, table, job)) return changed({ byService: true });
  const text = await textOf(file, table.reading);
  const rows = rowsOf(text, table.reading, measured(table).map((column) => column.number - 1));
  if (rows.n !== table.n_rows) return changed({ byService: true }); // better none than wrong ones
  histograms(table, rows);
  changed({ rows });
}

/** Of a file that was dropped here. */
async function readHead(table, job) {
  const { file } = state;
  if (!file || table.reading.gzip || (await isNoText(file, table, job))) return;
  changed({ head: rowsOf(await textOf(file.slice(0, HEAD), table.reading), table.reading, []) });
}

const isNoText = async (file, { reading }, { filename }) => !TEXT.test(filename) && !reading.gzip && looksBinary(file);

async function looksBinary(file) {
  return new Uint8Array(await file.slice(0, 512).arrayBuffer()).includes(0);
}
