// A second file: its rows in the clusters of the job, by a request or by the bucket, and in the same picture.
import { sendBytes } from "./parts.js";
import * as service from "./service.js";
import { changed, state } from "./state.js";
import { DELIMITERS, MOST_BYTES, rowsOf, textOf } from "./table.js";
import { t } from "./text.js";
import { working } from "./work.js";

const BY_BUCKET = ["too-large", "needs-conversion"]; // what a request is refused for, and the bucket is not
const BEHIND = 6; // cells that the service puts behind a row's own; the first is its cluster, the third its distance

export const predict = (file) =>
  working("predicting", async (work, signal) => {
    const answer = await answered(file, work, signal);
    const blob = await answer.blob();
    const read = blob.size > MOST_BYTES ? {} : await readAs(blob, answer.headers.get("Content-Type"));
    changed({ points: { name: file.name, blob, ...read }, said: t.predicted(read.rows?.n) });
  });

/** The second file's rows as they were sent, with what the service says of each behind it. */
async function answered(file, work, signal) {
  if (service.fitsRequest(file)) {
    const body = new FormData();
    body.append("job_id", state.job.job_id);
    body.append("file", file, file.name);
    try {
      return await service.call("predict?answer=rows", { method: "POST", body, headers: { Accept: "text/csv" }, signal });
    } catch (error) {
      if (!BY_BUCKET.includes(service.kindOf(error.problem))) throw error;
    }
  }
  return byBucket(file, work, signal);
}

async function byBucket(file, work, signal) {
  const { url, fields, result } = await service.read("predictions", { json: { job_id: state.job.job_id, answer: "rows" }, signal });
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...fields, file })) body.append(name, value);
  changed({ work: Object.assign(work, { total: file.size, began: performance.now(), before: 0 }) });
  await sendBytes("POST", url, body, signal, (sent) => changed({ work: Object.assign(work, { done: Math.min(sent, file.size) }) }));
  changed({ work: Object.assign(work, { total: 0 }) });
  return service.made(result, { headers: { Accept: "*/*" }, signal });
}

// --- as it is written ---------------------------------------------------------------

/** {rows, labels} of the answer, whose dialect is the second file's own; nothing where that is not plain to see. */
async function readAs(blob, type) {
  const encoding = /charset=([\w-]+)/.exec(type ?? "")?.[1] ?? "utf-8";
  const text = await textOf(blob, { encoding });
  const found = dialectOf(text);
  if (!found) return {};
  const { reading, width, numbers } = found;
  const read = rowsOf(text, reading, [...numbers.keys(), width]);
  const labels = Int32Array.from(read.numbers.get(width), (label) => (Number.isNaN(label) ? -1 : label));
  const columns = new Map([...numbers].map(([place, number]) => [number - 1, read.numbers.get(place)]));
  return { labels, rows: { n: read.n, numbers: columns } };
}

/** How the text is written, how many cells of its own a row has, and which column of the job each is. */
function dialectOf(text) {
  const comments = /^(#.*\n)*/.exec(text.replace(/^\ufeff/, ""))[0].split("\n").length - 1;
  for (const [delimiter, mark] of Object.entries(DELIMITERS)) {
    const reading = { delimiter, comments, header: "absent", decimal: "point" };
    const all = rowsOf(text.slice(0, 100_000), reading, []);
    if (!all.n) continue;
    const first = all.row(0);
    const width = first.length - BEHIND;
    const named = first.at(-BEHIND)?.startsWith("cluster");
    const numbers = numbersOf(named ? first.slice(0, width) : null, width);
    if (!numbers.size || !(named || /^\d*$/.test(first.at(-BEHIND)))) continue;
    const distance = all.n > 1 ? all.row(1).at(2 - BEHIND) : "";
    return { reading: { ...reading, header: named ? "present" : "absent", decimal: distance.includes(",") ? "comma" : "point" }, width, numbers };
  }
  return null;
}

/** The columns of the job that the cells of a row are, by their names, or as many as there are. */
function numbersOf(names, width) {
  const { columns } = state.table;
  const byName = names?.map((name) => columns.find((column) => column.name === name)?.number);
  const byPlace = width === columns.length ? columns.map((column) => column.number) : width === state.fit.used.length ? state.fit.used : [];
  const numbers = byName?.some(Boolean) ? byName : byPlace;
  return new Map([...numbers.entries()].filter(([, number]) => number));
}
