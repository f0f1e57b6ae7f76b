// A large file in presigned parts: one after the other, again where the network broke, given up on cancel.
import * as service from "./service.js";
import { changed } from "./state.js";
import { t } from "./text.js";

const TRIES = 8;
const KEPT = "kmeans-upload"; // the upload that this tab has begun, and of which file

/** Sends the file; answers the job's id. A file that was begun in this tab goes on where it broke. */
export async function byParts(file, work, signal) {
  let upload = (await begun(file)) ?? (await begin(file, signal));
  const id = (work.id = upload.job_id);
  location.hash = `job=${id}`; // where a page that is loaded anew finds it
  const cancel = work.cancel;
  work.cancel = () => (cancel(), giveUp(id));
  changed({ work: Object.assign(work, { total: file.size, began: performance.now(), before: upload.received }) });
  for (let failures = 0; ; ) {
    try {
      await sendMissing(file, upload, work, signal);
      await service.call(`uploads/${id}`, { method: "POST", signal });
      sessionStorage.removeItem(KEPT);
      work.cancel = cancel;
      work.total = 0;
      return id;
    } catch (error) {
      failures += 1;
      if (signal.aborted || (error instanceof service.Refused && error.problem.status)) throw error;
      if (failures > TRIES) throw service.unreachable();
      changed({ work: Object.assign(work, { broken: true }) });
      await service.pause(Math.min(30, 2 ** failures), signal);
      upload = await service.read(`uploads/${id}`, { signal }).catch(() => upload);
    }
  }
}

/** What is missing of a job's file: {id, size, received, name}; null where nothing is waited for. `name` is this tab's file. */
export async function unfinished(id) {
  const upload = await service.read(`uploads/${id}`).catch(() => null);
  if (!upload?.parts?.some((part) => part.url)) return null;
  const kept = note();
  return { id, size: upload.size, received: upload.received, name: kept?.id === id ? kept.name : null };
}

export async function giveUp(id) {
  sessionStorage.removeItem(KEPT);
  await service.call(`uploads/${id}`, { method: "DELETE" }).catch(() => {});
  await service.call(`jobs/${id}`, { method: "DELETE" }).catch(() => {});
}

const note = () => JSON.parse(sessionStorage.getItem(KEPT) || "null");

async function begin(file, signal) {
  const asked = { filename: file.name, parts: true, size: file.size };
  const upload = await service.read("uploads", { json: asked, signal });
  const print = { id: upload.job_id, name: file.name, size: file.size, at: file.lastModified };
  sessionStorage.setItem(KEPT, JSON.stringify(print));
  return upload;
}

/** Of a file that was changed since, what has come is another one's. */
async function begun(file) {
  const kept = note();
  if (!kept || kept.name !== file.name || kept.size !== file.size || kept.at !== file.lastModified) return null;
  return service.read(`uploads/${kept.id}`).catch(() => null);
}

async function sendMissing(file, upload, work, signal) {
  let from = 0;
  let done = upload.received;
  for (const part of upload.parts) {
    if (part.url) {
      await sendBytes("PUT", part.url, file.slice(from, from + part.size), signal, (sent) => {
        changed({ work: Object.assign(work, { done: done + sent, broken: false }) });
      });
      done += part.size;
    }
    from += part.size;
  }
}

/** Sends a body to the bucket, telling how many bytes have gone: fetch does not say. */
export function sendBytes(method, url, body, signal, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.upload.onprogress = (event) => told(event.loaded);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(t.answered(request.status))));
    request.onerror = () => reject(service.unreachable());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}
