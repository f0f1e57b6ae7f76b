// The service's routes, as openapi.yaml has them, called from wherever this page is served.
import { changed, state } from "./state.js";
import { t } from "./text.js";

export const BASE = new URL("../../", import.meta.url).href;
const INLINE_BYTES = 4_400_000;
const TOKEN = "kmeans-token";
const PATIENCE = 8; // tries of what is answered "later"
const OFFLINE = 6; // tries of what does not reach the service and changes nothing there: 31 seconds

/** A refusal of the service: its problem document. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value) => sessionStorage.setItem(TOKEN, value),
  forget: () => sessionStorage.removeItem(TOKEN),
};

export const fitsRequest = (file) => file.size <= INLINE_BYTES;

async function problemOf(answer) {
  const type = answer.headers.get("Content-Type") || "";
  if (type.includes("json")) {
    const problem = await answer.json();
    return { ...problem, status: answer.status, challenge: answer.headers.get("WWW-Authenticate") || "" };
  }
  return { title: t.failed, status: answer.status, detail: t.answered(answer.status) };
}

const pause = (seconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
export { pause };

export const unreachable = () => new Refused({ title: t.offline, detail: t.offlineDetail, status: 0 });

/** "invalid-csv" of the type of a problem, "urn:kmeans-service:problem:invalid-csv". */
export const kindOf = (problem) => problem?.type?.split(":").at(-1);

async function send(url, options) {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await fetch(url, { credentials: "omit", cache: "no-store", ...options });
      if (state.offline) changed({ offline: false });
      return answer;
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (options.method || tries === OFFLINE) throw unreachable();
      changed({ offline: true });
      await pause(2 ** (tries - 1), options.signal);
    }
  }
}

/** The answer to a call; raises Refused. What is answered "later" is asked again. */
export async function call(path, { headers = {}, json, ...options } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (token.get()) sent.Authorization = `Bearer ${token.get()}`;
  if (json !== undefined) {
    sent["Content-Type"] = "application/json";
    options.body = JSON.stringify(json);
    options.method ??= "POST";
  }
  for (let tries = 1; ; tries += 1) {
    const answer = await send(new URL(path, BASE), { ...options, headers: sent });
    if (answer.ok) return answer;
    const later = Number(answer.headers.get("Retry-After"));
    if (![429, 503, 504].includes(answer.status) && !later) throw new Refused(await problemOf(answer));
    if (tries === PATIENCE) throw new Refused(await problemOf(answer));
    await pause(later || 2, options.signal);
  }
}

/** The answer of a path that may take a while to make: asked again until it is there; `told` is what it says meanwhile. */
export async function made(path, { told, ...options } = {}) {
  for (;;) {
    const answer = await call(path, options);
    if (answer.status !== 202) return answer;
    told?.(await answer.json());
    await pause(Number(answer.headers.get("Retry-After")) || 1, options.signal);
  }
}

export const read = async (path, options) => (await call(path, options)).json();

let greeting = Promise.resolve();

/** Whether the service is open to who sees this page; tried once. */
export const greet = () => (greeting = read("jobs?limit=1", { method: "GET" }));

/** Jobs are asked for behind that: two at once, at the start, would be two functions that start. */
export const greeted = () => greeting.catch(() => {});

export async function upload(file, signal) {
  const body = new FormData();
  body.append("file", file, file.name);
  return read("upload", { method: "POST", body, signal });
}

/** What answers the centers starts while the file is sent and fitted, not after it. */
export const startsAhead = () => read("v2/health/ready").catch(() => {});

/** All columns, page after page. */
export async function columns(id) {
  const table = await read(`jobs/${id}/columns`);
  for (let cursor = table.next_cursor; cursor; ) {
    const page = await read(`jobs/${id}/columns?cursor=${encodeURIComponent(cursor)}`);
    table.columns.push(...page.columns);
    cursor = page.next_cursor;
  }
  return table;
}

/** Labels of an answer in JSON, or in CSV where it came from the bucket; -1 for a row without. */
export async function labelsOf(answer) {
  if ((answer.headers.get("Content-Type") || "").includes("json")) {
    return Int32Array.from((await answer.json()).labels, (label) => label ?? -1);
  }
  const lines = (await answer.text()).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return Int32Array.from(lines, (line) => (line.trim() === "" ? -1 : Number(line)));
}

/** Has the browser save what a path answers; `told` as of `made`. */
export async function save(path, name, accept, told) {
  const answer = await made(path, { headers: { Accept: accept }, told });
  keep(await answer.blob(), name);
}

/** Has the browser save bytes under a name. */
export function keep(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
