// A fit that continues an earlier one's clusters: which job that is, and which rows went from where to where.
import { html, nothing } from "./lit-html.js";
import { askMigration } from "./explain.js";
import { state } from "./state.js";
import { count, t } from "./text.js";
import { jobName } from "./names.js";

/** A search alone continues clusters. */
export const withoutAlignment = (options) => (options.algorithm === "swap" ? options : { ...options, align_to: "" });

export function alikeOf(job) {
  const own = (one) => (one.job_id === job.job_id ? t.itself : `${jobName(one)} · ${t.job(one.job_id)}`);
  return { "": t.ownNumbers, ...Object.fromEntries(state.alike.map((one) => [one.job_id, own(one)])) };
}

// --- which rows went where ----------------------------------------------------------

export function migrationView() {
  const { job, migration } = state;
  if (job.align_to === undefined || job.align_to === job.job_id) return nothing;
  return html`
    <section aria-labelledby="migration">
      <h2 id="migration">${t.migration(job.align_to)}</h2>
      <form class="fit-row" @submit=${ask}>
        <label class="field">
          <span>${t.sameRow}</span>
          <select name="key">
            <option value="">${t.byPlace}</option>
            ${state.table.columns.map((column) => (column.name ? html`<option ?selected=${column.rule === "identifier"}>${column.name}</option>` : nothing))}
          </select>
        </label>
        <button>${t.compare}</button>
      </form>
      ${migration === "coming" ? html`<p class="muted">…</p>` : nothing}
      ${migration?.refused ? html`<p lang="en">${migration.refused}</p>` : nothing}
      ${migration?.matrix ? tableView(migration) : nothing}
    </section>
  `;
}

function ask(event) {
  event.preventDefault();
  const { job, fit } = state;
  askMigration(job.job_id, job.align_to, new FormData(event.target).get("key"), fit);
}

const called = ({ name, number }) => name ?? t.cluster(number);

function tableView({ clusters, clusters_from: before, matrix, left, arrived, n_both: both, n_stayed: stayed }) {
  const number = (value) => html`<td class="right">${value ? count(value) : "–"}</td>`;
  return html`
    <p>${t.stayed(stayed, both)}</p>
    <div class="scroll card" tabindex="0" role="group" aria-labelledby="migration">
      <table>
        <thead><tr><th scope="col">${t.fromTo}</th>${clusters.map((one) => html`<th scope="col" class="right">${called(one)}</th>`)}<th scope="col" class="right">${t.gone}</th></tr></thead>
        <tbody>
          ${before.map((one, i) => html`<tr><th scope="row">${called(one)}</th>${matrix[i].map(number)}${number(left[i])}</tr>`)}
          <tr><th scope="row">${t.arrived}</th>${arrived.map(number)}<td></td></tr>
        </tbody>
      </table>
    </div>
  `;
}
