// Names that the owner gives: of a job and of its clusters, changed where they stand.
import { html } from "./lit-html.js";
import * as service from "./service.js";
import { changed, focusOn, state } from "./state.js";
import { t } from "./text.js";
import { working } from "./work.js";

const LONGEST = 100; // characters of a name

export const jobName = (job) => job.name ?? job.filename;

/** The number that a cluster's name belongs to: its label, but where it continues one of an earlier fit. */
export const numberOf = (cluster) => state.job?.numbers?.[cluster] ?? cluster;
export const clusterName = (cluster) => state.job?.clusters?.[numberOf(cluster)] ?? t.cluster(numberOf(cluster));

/** The pencil beside a name; `what` is the job's id where it is the job's, else the cluster. */
export const pencil = (what, name) => html`
  <button class="quiet pencil" data-renames=${what} aria-label=${t.rename(name)} title=${t.rename(name)} @click=${() => begin(what)}>✎</button>
`;

export const isRenamed = (what) => state.renamed === what;

/** The field that a name becomes while it is changed. */
export const nameField = (what, name, job = state.job) => html`
  <form class="rename" @submit=${(event) => save(event, what, job)} @keydown=${(event) => event.key === "Escape" && end(what)}>
    <input id="rename" name="name" aria-label=${t.rename(name)} maxlength=${LONGEST} .value=${name} autocomplete="off" @focus=${(event) => event.target.select()}>
    <button class="primary">${t.saveName}</button>
  </form>
`;

function begin(what) {
  changed({ renamed: what });
  focusOn("#rename");
}

/** Back to the pencil. */
function end(what) {
  changed({ renamed: null });
  focusOn(`[data-renames="${what}"]`);
}

/** An empty name takes the old one away. */
function save(event, what, job) {
  event.preventDefault();
  const name = new FormData(event.target).get("name").trim() || null;
  const change = what.startsWith("job") ? { name } : { clusters: { [what]: name } };
  return working("saving", async (_work, signal) => {
    const renamed = await service.read(`jobs/${job.job_id}`, {
      method: "PATCH", json: change, signal,
    });
    const all = state.jobs?.all.map((one) => (one.job_id === renamed.job_id ? { ...one, name: renamed.name } : one));
    changed({
      job: state.job && { ...state.job, ...renamed, name: renamed.name, clusters: renamed.clusters },
      jobs: state.jobs && { ...state.jobs, all },
    });
    end(what);
  });
}
