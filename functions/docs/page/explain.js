// What the service makes of a fit when it is asked; it comes when it is there, and the picture does not wait.
import { made, read } from "./service.js";
import { changed, state } from "./state.js";

/** Into the state under a name, if the fit still is the one that is shown; `refused` says why not. */
async function ask(name, path, fit) {
  const told = await made(path).then((answer) => answer.json()).catch((error) => ({ refused: error.message }));
  if (state.fit === fit) changed({ [name]: told });
  return told;
}

/** Sentences, rules and differences. */
export const askClusters = (id, fit) => ask("clusters", `jobs/${id}/clusters`, fit);

/** Whether other starts come to better clusters. */
export function askAudit(id, fit) {
  changed({ audit: "coming" });
  return ask("audit", `jobs/${id}/audit`, fit);
}

/** Which rows went from which of another job's clusters to which of these; a row is found by its place, or by a column. */
export function askMigration(id, from, key, fit) {
  changed({ migration: "coming" });
  return ask("migration", `jobs/${id}/migration?from=${from}${key ? `&key=${encodeURIComponent(key)}` : ""}`, fit);
}

/** Jobs with the columns of this one, itself among them: whose numbers can go on. */
export async function askAlike(job) {
  const { jobs } = await read("jobs?status=SUCCEEDED&limit=100").catch(() => ({ jobs: [] }));
  const names = JSON.stringify(job.feature_names);
  const alike = jobs.filter((one) => job.feature_names && JSON.stringify(one.feature_names) === names);
  if (state.job?.job_id === job.job_id) changed({ alike });
}

/** At most 5,000 rows of a file that is too large for the browser. */
export async function askSample(id) {
  const { axes, points, centers, n_rows: all } = await (await made(`jobs/${id}/projection`)).json();
  changed({
    sample: {
      xs: Float64Array.from(points, (point) => point.x),
      ys: Float64Array.from(points, (point) => point.y),
      labels: Int32Array.from(points, (point) => point.label),
      lines: points.map((point) => point.line),
      centers: centers.map((center) => [center.x, center.y]),
      axes,
      all,
    },
  });
}
