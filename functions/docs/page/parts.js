// A large file in presigned parts: one after the other, again where the network broke, given up on cancel.
import * as service from "./service.js";
import { changed } from "./state.js";

const TRIES = 8;
const KEPT = "kmeans-upload"; // the upload that a reload of the page goes on with

/** Sends the file; answers the job's id. A file that was begun in this tab goes on where it broke. */
export async function byParts(file, work, signal) {
  let upload = (await begun(file)) ?? (await begin(file, signal));
  const id = upload.job_id;
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
      if (signal.aborted || failures > TRIES || (error instanceof service.Refused && error.problem.status)) throw error;
      changed({ work: Object.assign(work, { broken: true }) });
      await service.pause(Math.min(30, 2 ** failures), signal);
      upload = await service.read(`uploads/${id}`, { signal }).catch(() => upload);
    }
  }
}

async function begin(file, signal) {
  const asked = { filename: file.name, parts: true, size: file.size };
  const upload = await service.read("uploads", { json: asked, signal });
  const print = { id: upload.job_id, name: file.name, size: file.size, at: file.lastModified };
  sessionStorage.setItem(KEPT, JSON.stringify(print));
  return upload;
}

async function begun(file) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  if (!kept || kept.name !== file.name || kept.size !== file.size || kept.at !== file.lastModified) return null;
  return service.read(`uploads/${kept.id}`).catch(() => null);
}

async function giveUp(id) {
  sessionStorage.removeItem(KEPT);
  await service.call(`uploads/${id}`, { method: "DELETE" }).catch(() => {});
}

async function sendMissing(file, upload, work, signal) {
  let from = 0;
  let done = upload.received;
  for (const part of upload.parts) {
    if (part.url) {
      await put(part.url, file.slice(from, from + part.size), signal, (sent) => {
        changed({ work: Object.assign(work, { done: done + sent, broken: false }) });
      });
      done += part.size;
    }
    from += part.size;
  }
}

/** PUTs bytes, telling how many have gone: fetch does not say. */
function put(url, body, signal, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.upload.onprogress = (event) => told(event.loaded);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(`S3: ${request.status}`)));
    request.onerror = () => reject(new Error("network"));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}
