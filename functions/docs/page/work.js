// What the page does: from a file to its clusters, and what is asked on the way.
import { byParts } from "./parts.js";
import * as service from "./service.js";
import { changed, OPTIONS, state } from "./state.js";
import { excerpt, histogram, MOST_BYTES, rowsOf, textOf } from "./table.js";
import { t } from "./text.js";
import { twoThatTell } from "./axes.js";

const DECIDES = 0.9; // of the variance: a column that has it decides the clusters alone
const TEXT = /\.(csv|tsv|txt|dat|data|tab)(\.gz)?$/i;

/** Runs one piece of work; what the service refuses becomes the page's problem. */
export async function working(stage, task) {
  state.work?.cancel?.();
  const controller = new AbortController();
  const work = { stage, cancel: () => controller.abort(new DOMException(t.cancelled, "AbortError")) };
  changed({ work, problem: null, said: t.stages[stage] });
  try {
    await task(work, controller.signal);
  } catch (error) {
    if (error.name === "AbortError") stopped(work);
    else if (state.work === work) await refused(error);
  } finally {
    if (state.work === work) changed({ work: null });
  }
}

/** Without a job there is nothing to stay for. */
function stopped(work) {
  if (state.work === work) changed({ said: t.cancelled, view: state.job || state.view !== "job" ? state.view : "start" });
}

export async function refused(error) {
  if (!(error instanceof service.Refused)) {
    console.error(error);
    return changed({ problem: { title: t.failed, detail: String(error.message || error) } });
  }
  const { problem } = error;
  if (problem.status === 401 && problem.challenge.includes("AWS4")) return changed({ signed: true });
  if (problem.status === 401) {
    service.token.forget();
    return changed({ needsToken: true });
  }
  const lines = problem.line ? await excerpt(state.file, problem.line).catch(() => null) : null;
  changed({ problem: { ...problem, lines }, said: problem.detail });
}

function stage(work, name) {
  work.stage = name;
  changed({ said: t.stages[name] });
}

/** A file that was dropped: upload, columns, fit, picture. */
export function take(file, clusters = OPTIONS.clusters) {
  const options = { ...OPTIONS, clusters };
  changed({ ...NOTHING, view: "job", file, options });
  return working("sending", async (work, signal) => {
    const id = service.fitsRequest(file) ? (await service.upload(file, signal)).job_id : await byParts(file, work, signal);
    work.id = id;
    location.hash = `job=${id}`;
    await understand(id, work, signal);
    if (!state.table.refused) await cluster(work, signal);
  });
}

const NOTHING = {
  file: null, job: null, table: null, rows: null, fit: null, told: null, points: null, problem: null,
  selected: null, point: null, axes: { kind: "columns", x: null, y: null },
};

/** A job of the list, or of the address. */
export function open(id) {
  changed({ ...NOTHING, view: "job", options: { ...OPTIONS } });
  return working("opening", async (work, signal) => {
    await understand(id, work, signal);
    if (state.job.status === "SUCCEEDED") await look(await labels(id));
    else if (["QUEUED", "RUNNING"].includes(state.job.status)) await look(await follow(id, work, signal));
    else if (state.job.status === "FAILED") changed({ problem: failure(state.job) });
  });
}

/** Waits until the file is there, and looks at its columns. */
async function understand(id, work, signal) {
  let job = await service.read(`jobs/${id}`, { signal });
  while (job.status === "PENDING") {
    stage(work, job.progress?.stage === "CONVERTING" ? "converting" : "checking");
    await service.pause(1, signal);
    job = await service.read(`jobs/${id}`, { signal });
  }
  changed({ job });
  if (job.status === "FAILED" && !job.n_samples) throw new service.Refused(failure(job));
  stage(work, "reading");
  const table = await service.columns(id);
  changed({ table, options: optionsOf(table, job) });
  await readRows(id, table, job);
}

const failure = (job) => ({ title: t.fitFailed, detail: t.fitFailed, ...job.error, status: 0 });

function optionsOf(table, job) {
  const options = { ...state.options };
  const asked = job.model_params;
  if (asked) {
    for (const name of ["algorithm", "n_init", "max_iter", "tol", "random_state"]) options[name] = asked[name] ?? options[name];
    options.clusters = asked.n_clusters ?? options.clusters;
    options.scaling = job.preprocessing?.scaling ?? "none";
    options.missing = job.preprocessing?.missing ?? "mean";
    options.normalize = job.preprocessing?.normalize ?? "none";
    if ((job.preprocessing?.columns ?? "auto") !== "auto") options.used = numbersOfUsed(table);
    return options;
  }
  options.suggested = deciding(table);
  if (options.suggested !== null) options.scaling = "standard";
  return options;
}

const numbersOfUsed = (table) => table.columns.filter((column) => column.role === "used").map((column) => column.number);

/** Name of the used column that holds nearly all variance, or null. */
function deciding(table) {
  const used = table.columns.filter((column) => column.role === "used");
  const variance = used.map((column) => (column.sd ?? 0) ** 2);
  const total = variance.reduce((sum, value) => sum + value, 0);
  const most = variance.indexOf(Math.max(...variance));
  return used.length > 1 && variance[most] > DECIDES * total ? used[most].name ?? t.column(used[most].number) : null;
}

export const measured = (table) => table.columns.filter((column) => ["numbers", "boolean"].includes(column.kind));

const MOST_ROWS = 300_000; // of a file that only the service can read
// What the page calls an outlier: farther from its center than 95 % of its cluster.
export const ROWS = "rows?outlier_quantile=0.95";
const SAID = { distance: 2, outlier: 5 }; // cells that the service puts behind a row's own: which is which

/** The rows as the service made them, with what it says of each; into the state. */
export async function askRows(signal) {
  const { job, table, rows } = state;
  const answer = await service.made(`jobs/${job.job_id}/${ROWS}`, { headers: { Accept: "text/csv" }, signal });
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

/** The file's rows, for the picture and the first lines; none where it is too large or no text. */
async function readRows(id, table, job) {
  if ((job.size ?? 0) > MOST_BYTES) return;
  let file = state.file;
  if (!file) {
    const answer = await service.call(`jobs/${id}/input`, { headers: { Accept: "*/*" } });
    file = new File([await answer.blob()], job.filename);
    state.file = file;
  }
  if (!TEXT.test(job.filename) && (await looksBinary(file)) && !table.reading.gzip) return;
  const text = await textOf(file, table.reading);
  const rows = rowsOf(text, table.reading, measured(table).map((column) => column.number - 1));
  if (rows.n !== table.n_rows) return; // read in another way than the service did: better none than wrong ones
  histograms(table, rows);
  changed({ rows });
}

async function looksBinary(file) {
  return new Uint8Array(await file.slice(0, 512).arrayBuffer()).includes(0);
}

export function refit() {
  return working("fitting", (work, signal) => cluster(work, signal));
}

export function request(id, options) {
  const { clusters, algorithm, n_init, max_iter, tol, random_state, scaling, missing, normalize, used } = options;
  const preprocessing = { scaling, missing, normalize };
  if (used) preprocessing.columns = used;
  return { job_id: id, model_params: { n_clusters: clusters, algorithm, n_init, max_iter, tol, random_state }, preprocessing };
}

async function cluster(work, signal) {
  const id = state.job.job_id;
  stage(work, "fitting");
  const watch = new AbortController();
  signal.addEventListener("abort", () => watch.abort(), { once: true });
  observe(id, work, watch.signal);
  try {
    const answer = await service.call("fit", { json: request(id, state.options), signal });
    watch.abort();
    await look(answer.status === 202 ? await follow(id, work, signal) : await service.labelsOf(answer));
  } finally {
    watch.abort();
  }
}

/** Progress of a fit that answers in the same request. */
async function observe(id, work, signal) {
  try {
    for (;;) {
      await service.pause(1.5, signal);
      note(work, await service.read(`jobs/${id}`, { signal }));
    }
  } catch {
    // The fit itself says what is wrong.
  }
}

function note(work, job) {
  work.progress = job.progress;
  work.status = job.status;
  changed();
}

async function follow(id, work, signal) {
  for (;;) {
    const job = await service.read(`jobs/${id}`, { signal });
    note(work, job);
    if (job.status === "SUCCEEDED") return labels(id);
    if (job.status === "FAILED") throw new service.Refused(failure(job));
    stage(work, job.status === "QUEUED" ? "waiting" : "fitting");
    await service.pause(1, signal);
  }
}

const labels = async (id) => service.labelsOf(await service.call(`jobs/${id}/labels`));

/** The fit is there: its centers, its job, and the two columns that tell the clusters apart best. */
async function look(found) {
  const id = state.job.job_id;
  const [job, centers] = await Promise.all([
    service.read(`jobs/${id}`),
    service.read(`jobs/${id}/centers`),
  ]);
  const fit = { labels: found, centers: centers.centers, names: centers.feature_names, used: usedColumns(job, centers) };
  const axes = twoThatTell(fit, state.table, job.scores.cluster_sizes);
  changed({ job, fit, axes, points: null, selected: null, point: null, told: null, said: t.found(fit.centers.length) });
  if (!state.rows && state.table.n_rows <= MOST_ROWS) await askRows();
}

/** Numbers of the columns that the centers are of. */
function usedColumns(job, centers) {
  const { columns } = state.table;
  const width = centers.centers[0].length;
  if (width === columns.length) return columns.map((column) => column.number);
  if (state.options.used?.length === width) return state.options.used;
  const used = numbersOfUsed(state.table);
  if (used.length === width) return used;
  const names = centers.feature_names || [];
  return names.map((name) => columns.find((column) => column.name === name)?.number ?? null);
}

/** What the service answers of the points of a file. */
export function predicted(file, query, accept, signal) {
  const body = new FormData();
  body.append("job_id", state.job.job_id);
  body.append("file", file, file.name);
  return service.call(`predict${query}`, { method: "POST", body, headers: { Accept: accept }, signal });
}

/** A second file: its points in the same picture. */
export function predict(file) {
  return working("predicting", async (_work, signal) => {
    const found = await service.labelsOf(await predicted(file, "", "application/json", signal));
    const { reading } = state.table;
    const text = await textOf(file, { ...reading, gzip: /\.gz$/i.test(file.name) });
    const rows = rowsOf(text, { ...reading, comments: 0 }, measured(state.table).map((column) => column.number - 1));
    changed({
      points: { name: file.name, file, labels: found, rows: rows.n === found.length ? rows : null },
      said: t.predicted(found.length),
    });
  });
}
