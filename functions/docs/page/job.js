// One job: what is asked of its fit, the picture and its clusters, its columns, what can be taken away.
import { html, nothing } from "./lit-html.js";
import { live } from "./live.js";
import { changed, state } from "./state.js";
import { bytes, t } from "./text.js";
import { clustersView } from "./clusters.js";
import { columnsView, firstRowsView, refusedView } from "./columns.js";
import { alikeOf, migrationView, withoutAlignment } from "./continuing.js";
import { pictureView } from "./look.js";
import { isRenamed, jobName, nameField, pencil } from "./names.js";
import { numberView, shown, withWeight } from "./number.js";
import { qualityView } from "./quality.js";
import { predictView, takeView } from "./take.js";
import { unfinishedView } from "./unfinished.js";
import { open, refit, removeJob } from "./work.js";

export function jobView() {
  const { job, table, fit } = state;
  const name = job ? jobName(job) : state.file?.name ?? "…";
  const what = `job ${job?.job_id}`;
  return html`
    <div class="job-top">
      ${isRenamed(what) ? html`<h1 class="unseen">${name}</h1>${nameField(what, name)}` : html`<div class="name-row"><h1>${brokenAtDot(name)}</h1>${job ? pencil(what, name) : nothing}</div>`}
      <p class="muted facts">
        ${table ? html`<span>${t.rows(table.n_rows)}</span><span>${t.columns(table.n_columns)}</span>${state.byService ? nothing : html`<span>${t.readAs(table.reading)}</span>`}` : nothing}
        ${job?.name ? html`<span>${job.filename}</span>` : nothing}
        ${job?.size ? html`<span>${bytes(job.size)}</span>` : nothing}
        ${job ? html`<span>${t.job(job.job_id)}</span>` : nothing}
      </p>
    </div>
    ${state.unfinished ? unfinishedView() : nothing}
    ${state.goesOn && job ? goesOnView(job.job_id) : nothing}
    ${table ? html`${refusedView()}${fitView()}` : nothing}
    ${fit || (table && state.work)
      ? html`<div class=${fit ? "look" : "look empty"}>
          ${fit ? html`${pictureView()}${clustersView()}` : html`<div class="waiting card" aria-hidden="true"></div>`}
        </div>`
      : nothing}
    ${fit ? html`${qualityView()}${migrationView()}${takeView()}${predictView()}` : nothing}
    ${table ? html`${columnsView()}${firstRowsView()}` : nothing}
  `;
}

/** A name that is too long for its line breaks before its ending, and not in it. */
function brokenAtDot(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? html`${name.slice(0, dot)}<wbr>${name.slice(dot)}` : name;
}

/** After a cancelled fit: it can be waited for again, or ends with its job. */
const goesOnView = (id) => html`
  <section class="note goes-on">
    <p>${t.goesOn}</p>
    <button @click=${() => open(id)}>${t.waitOn}</button>
    <button class="quiet" @click=${() => removeJob(id)}>${t.removeWithFile}</button>
  </section>
`;

// --- what is asked of the fit -------------------------------------------------------

const set = (name, read = (field) => field.value) => (event) => {
  const options = { ...state.options, [name]: read(event.target) };
  if (name === "scaling") options.suggested = null;
  changed({ options: withoutAlignment(withWeight(options)) });
};

const choice = (name, label, words, disabled = false) => html`
  <label class="field">
    <span>${label}</span>
    <select name=${name} ?disabled=${disabled} .value=${live(state.options[name])} @change=${set(name)}>
      ${Object.entries(words).map(([value, text]) => html`<option value=${value} ?selected=${state.options[name] === value}>${text}</option>`)}
    </select>
  </label>
`;

function fitView() {
  const { options, fit, work } = state;
  return html`
    <form class="fit card" @submit=${submit}>
      <div class="fit-row">
        ${numberView()}
        ${choice("scaling", t.scaling, t.scalings)}
        <button class="primary" ?disabled=${Boolean(work) || Boolean(state.table.refused && !options.used)}>${fit ? t.refit : t.fit}</button>
      </div>
      ${options.weight_column ? html`<p class="note">${t.weightNeedsNumber}</p>` : nothing}
      ${options.suggested ? html`<p class="note">${t.suggested(options.suggested)}</p>` : nothing}
      <details>
        <summary>${t.more}</summary>
        <div class="fit-row more">
          ${choice("missing", t.missing, t.missings)} ${choice("normalize", t.normalize, t.normalizes)}
          ${choice("categories", t.categories, t.categoriesNames)} ${choice("weight_column", t.weight, weights())}
          ${choice("algorithm", t.algorithm, t.algorithms)}
          ${state.alike.length ? choice("align_to", t.alignTo, alikeOf(state.job), options.algorithm !== "swap") : nothing}
          ${numberField("n_init", { min: 1, max: 100, placeholder: "auto" })} ${numberField("max_iter", { min: 1, max: 10000 })}
          ${numberField("tol", { min: 0, step: "any" })} ${numberField("random_state", { min: 0, max: 4294967295 })}
        </div>
      </details>
    </form>
  `;
}

/** A field with "1e" has no value, and is not empty. */
const isEmpty = ({ value, validity }) => value === "" && !validity.badInput;

const numberField = (name, { min, max, step = 1, placeholder = "" }) => html`
  <label class="field">
    <span><code>${t[name]}</code></span>
    <input
      name=${name} type="number" min=${min} max=${max ?? nothing} step=${step} placeholder=${placeholder} aria-describedby=${`${name}-about`}
      .valueAsNumber=${shown(state.options[name])}
      ?required=${!placeholder}
      @input=${set(name, (field) => (placeholder && isEmpty(field) ? placeholder : field.valueAsNumber))}>
    <small class="muted" id=${`${name}-about`}>${t[`${name}About`]}</small>
  </label>
`;

/** Columns that may say how much a row counts. */
const weights = () => ({
  "": t.noWeight,
  ...Object.fromEntries(state.table.columns.filter((column) => column.name && column.kind === "numbers" && !column.missing && column.least >= 0).map((column) => [column.name, column.name])),
});

function submit(event) {
  event.preventDefault();
  refit();
}
