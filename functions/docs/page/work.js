// What the page does: from a file to its clusters, and what is asked on the way.
import { byParts, unfinished } from "./parts.js";
import { askAlike, askClusters, askSample } from "./explain.js";
import { askRows, MOST_ROWS, readRows } from "./rows.js";
import * as service from "./service.js";
import { changed, OPTIONS, state } from "./state.js";
import { excerpt } from "./table.js";
import { t, verdictOf } from "./text.js";
import { twoThatTell } from "./axes.js";

const FITS = ["waiting", "choosing", "fitting"]; // stages of what no request ends
const DECIDES = 0.9; // of the variance: a column that has it decides the clusters alone

/** Runs one piece of work; what the service refuses becomes the page's problem. */
export async function working(stage, task) {
  state.work?.cancel?.();
  const controller = new AbortController();
  const work = { stage, cancel: () => controller.abort(new DOMException(t.cancelled, "AbortError")) };
  changed({ work, problem: null, goesOn: false, said: t.stages[stage] });
  try {
    await task(work, controller.signal);
  } catch (error) {
    if (error.name === "AbortError") stopped(work);
    else if (state.work === work) await refused(error, () => working(stage, task));
  } finally {
    if (state.work === work) changed({ work: null });
  }
}

/** Without a table there is nothing to stay for. */
function stopped(work) {
  if (state.work !== work) return;
  if (FITS.includes(work.stage)) return changed({ goesOn: true, said: t.goesOn });
  const stays = state.table || state.view !== "job";
  if (!stays) history.replaceState(null, "", location.pathname);
  changed({ said: t.cancelled, view: stays ? state.view : "start" });
}

/** `again` does what failed once more: offered where the service was not reached. */
export async function refused(error, again = null) {
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
  if (service.kindOf(problem) === "fit-conflict") changed({ goesOn: true });
  changed({ problem: { ...problem, lines, again: problem.status === 0 ? again : null }, said: problem.detail, offline: false });
}

function stage(work, name) {
  work.stage = name;
  changed({ said: t.stages[name] });
}

/** A file that was dropped: upload, columns, fit, picture. */
export function take(file) {
  changed({ ...NOTHING, view: "job", file, options: { ...OPTIONS } });
  return working("sending", async (work, signal) => {
    service.startsAhead();
    const id = service.fitsRequest(file) ? (await service.upload(file, signal)).job_id : await byParts(file, work, signal);
    work.id = id;
    location.hash = `job=${id}`;
    await service.greeted();
    await understand(await service.read(`jobs/${id}`, { signal }), work, signal);
    if (!state.table.refused) await cluster(work, signal);
  });
}

const UNSEEN = { points: null, selected: null, point: null, told: null, clusters: null, sample: null, audit: null, migration: null };
const NOTHING = {
  ...UNSEEN, unfinished: null, file: null, job: null, table: null, rows: null, head: null, byService: false, fit: null, choice: null, alike: [], problem: null,
  axes: { kind: "columns", x: null, y: null },
};

/** A job of the list, or of the address. */
export function open(id) {
  changed({ ...NOTHING, view: "job", options: { ...OPTIONS } });
  return working("opening", async (work, signal) => {
    const job = await service.read(`jobs/${id}`, { signal });
    const waits = job.status === "PENDING" && job.progress?.stage !== "CONVERTING" ? await unfinished(id) : null;
    if (waits) return changed({ job, unfinished: waits });
    if (isUnread(job)) return firstRead(id, job, work, signal);
    await understand(job, work, signal);
    if (state.job.status === "SUCCEEDED") await look(await labels(id));
    else if (["QUEUED", "RUNNING"].includes(state.job.status)) await look(await follow(id, work, signal));
    else if (state.job.status === "FAILED") changed({ problem: failure(state.job) });
  });
}

/** Of a dataset, whose columns are known once its first fit has read them. */
const isUnread = ({ files, n_samples: n, status }) => files && !n && status !== "FAILED";

async function firstRead(id, job, work, signal) {
  changed({ job });
  const found = await follow(id, work, signal);
  await understand(await service.read(`jobs/${id}`, { signal }), work, signal);
  await look(found);
}

/** Waits until the file is there, and looks at its columns. */
async function understand(job, work, signal) {
  const id = job.job_id;
  for (let polls = 0; job.status === "PENDING"; polls += 1) {
    stage(work, job.progress?.stage === "CONVERTING" ? "converting" : "checking");
    await service.pause(between(polls), signal);
    job = await service.read(`jobs/${id}`, { signal });
  }
  changed({ job });
  if (job.status === "FAILED" && !job.n_samples) throw new service.Refused(failure(job));
  stage(work, "reading");
  const table = await service.columns(id);
  changed({ table, options: optionsOf(table, job) });
  await readRows(id, table, job);
}

/** Seconds until a job is asked for again: what is quick is seen soon. */
const between = (polls) => Math.min(2, 0.25 * 1.4 ** polls);

const failure = (job) => ({ title: t.fitFailed, detail: t.fitFailed, ...job.error, status: 422 });

function optionsOf(table, job) {
  const options = { ...state.options };
  const asked = job.model_params;
  if (asked) {
    for (const name of ["algorithm", "n_init", "max_iter", "tol", "random_state"]) options[name] = asked[name] ?? options[name];
    options.align_to = job.align_to === undefined ? "" : String(job.align_to);
    options.clusters = asked.n_clusters ?? options.clusters;
    options.scaling = job.preprocessing?.scaling ?? "none";
    options.missing = job.preprocessing?.missing ?? "mean";
    options.normalize = job.preprocessing?.normalize ?? "none";
    options.categories = job.preprocessing?.categories ?? "leave_out";
    options.weight_column = job.preprocessing?.weight_column ?? "";
    if ((job.preprocessing?.columns ?? "auto") !== "auto") options.used = numbersOfUsed(table);
    return options;
  }
  options.suggested = deciding(table);
  if (options.suggested !== null) options.scaling = "standard";
  return options;
}

const numbersOfUsed = (table) => table.columns.filter((column) => ["used", "levels"].includes(column.role)).map((column) => column.number);

/** Name of the used column that holds nearly all variance, or null. */
function deciding(table) {
  const used = table.columns.filter((column) => column.role === "used");
  const variance = used.map((column) => (column.sd ?? 0) ** 2);
  const total = variance.reduce((sum, value) => sum + value, 0);
  const most = variance.indexOf(Math.max(...variance));
  return used.length > 1 && variance[most] > DECIDES * total ? used[most].name ?? t.column(used[most].number) : null;
}

/** With its file: what the service works on for it ends then. */
export const removeJob = (id) =>
  working("deleting", async () => {
    await service.call(`jobs/${id}`, { method: "DELETE" });
    location.hash = "";
  });

export function refit() {
  return working("fitting", (work, signal) => cluster(work, signal));
}

export function request(id, options) {
  const { clusters, algorithm, n_init, max_iter, tol, random_state, scaling, missing, normalize, categories, used, align_to } = options;
  const preprocessing = { scaling, missing, normalize, categories };
  if (options.weight_column) preprocessing.weight_column = options.weight_column;
  if (used) preprocessing.columns = used;
  const asked = { job_id: id, model_params: { n_clusters: clusters, algorithm, n_init, max_iter, tol, random_state }, preprocessing };
  return align_to === "" ? asked : { ...asked, align_to: Number(align_to) };
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
  const now = stageOf(job);
  if (work.stage !== now) stage(work, now);
  else changed();
}

/** Of a job that is waited for. */
function stageOf({ status, progress }) {
  if (status === "QUEUED") return "waiting";
  return progress?.stage === "CHOOSING" ? "choosing" : "fitting";
}

async function follow(id, work, signal) {
  for (let polls = 0; ; polls += 1) {
    const job = await service.read(`jobs/${id}`, { signal });
    note(work, job);
    if (job.status === "SUCCEEDED") return labels(id);
    if (job.status === "FAILED") throw new service.Refused(failure(job));
    await service.pause(between(polls), signal);
  }
}

const labels = async (id) => service.labelsOf(await service.call(`jobs/${id}/labels`));

/** The fit is there: its centers, its job, and the two columns that tell the clusters apart best. */
async function look(found) {
  const id = state.job.job_id;
  const job = await service.read(`jobs/${id}`);
  const [{ centers, feature_names: names }, { table, choice }] = await Promise.all([service.read(`jobs/${id}/centers`), fitted(job)]);
  table.columns.forEach((column, index) => Object.assign(column, { bins: state.table.columns[index].bins }));
  const used = usedByFit(table, centers[0].length);
  const fit = { labels: found, centers, names, used };
  const axes = twoThatTell(fit, table, job.scores.cluster_sizes);
  changed({ ...UNSEEN, job, table, fit, choice, axes, said: choice ? verdictOf(choice) : t.found(centers.length) });
  askClusters(id, fit);
  askAlike(job);
  if (job.files) return;
  if (!state.rows && table.n_rows <= MOST_ROWS) await askRows();
  if (!state.rows) await askSample(id);
}

/** One after the other: both are answered by one function, and two at once would be two that start. */
async function fitted({ job_id: id, links }) {
  const table = await service.columns(id);
  return { table, choice: links.choice ? await service.read(`jobs/${id}/choice`) : null };
}

/** Numbers of the columns of the centers; null for those of texts, which stand behind the others. */
function usedByFit(table, width) {
  const used = table.columns.filter((column) => column.role === "used");
  return Array.from({ length: width }, (_, index) => used[index]?.number ?? null);
}
