// The list of jobs: searched by name, opened, deleted.
import { html, nothing } from "./lit-html.js";
import * as service from "./service.js";
import { changed, focusOn, state } from "./state.js";
import { bytes, moment, t } from "./text.js";
import { isRenamed, jobName, nameField, pencil } from "./names.js";
import { refused, working } from "./work.js";

export async function list(cursor) {
  try {
    const page = await service.read(`jobs?limit=100&usage=true${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    const before = cursor ? state.jobs.all : [];
    changed({ jobs: { search: "", asked: null, ...state.jobs, all: [...before, ...page.jobs], next: page.next_cursor, usage: page.usage } });
  } catch (error) {
    await refused(error);
  }
}

export function jobsView() {
  const { jobs } = state;
  return html`
    <h1>${t.jobs}</h1>
    ${!jobs ? html`<p class="muted">…</p>` : jobs.all.length ? listView(jobs) : html`<p class="muted">${t.noJobs} <a href="#">${t.start}</a></p>`}
  `;
}

function listView(jobs) {
  const wanted = jobs.search.toLowerCase();
  const shown = jobs.all.filter((job) => `${job.name ?? ""} ${job.filename}`.toLowerCase().includes(wanted));
  return html`
    <div class="list-top">
      <label>${t.search} <input type="search" .value=${jobs.search} @input=${search}></label>
      ${usageView(jobs.usage)}
    </div>
    <ul class="jobs">${shown.map(jobView)}</ul>
    ${shown.length ? nothing : html`<p class="muted">${t.noneFound}</p>`}
    ${jobs.next ? html`<button @click=${() => list(jobs.next)}>${t.moreJobs}</button>` : nothing}
  `;
}

const usageView = (usage) => html`
  <label class="usage">
    <span>${t.usage(usage.jobs, bytes(usage.stored_bytes), bytes(usage.max_stored_bytes))}</span>
    <progress max=${usage.max_stored_bytes} .value=${usage.stored_bytes}></progress>
  </label>
`;

const search = (event) => changed({ jobs: { ...state.jobs, search: event.target.value } });

function ask(id) {
  const { asked } = state.jobs;
  changed({ jobs: { ...state.jobs, asked: id } });
  focusOn(id === null ? `[data-removes="${asked}"]` : ".sure .quiet");
}

const jobView = (job) => html`
  <li class="job">
    ${isRenamed(`job ${job.job_id}`)
      ? nameField(`job ${job.job_id}`, jobName(job), job)
      : html`<span class="name-row"><a class="job-name" href=${`#job=${job.job_id}`}>${jobName(job)}</a>${pencil(`job ${job.job_id}`, jobName(job))}</span>`}
    <span class="status" data-status=${job.status}>${t.statuses[job.status]}</span>
    <span class="muted facts">
      ${job.name ? html`<span>${job.filename}</span>` : nothing}
      ${job.scores && job.status === "SUCCEEDED" ? html`<span>${t.clustersOf(job.scores.n_clusters)}</span>` : nothing}
      ${job.n_samples ? html`<span>${t.rows(job.n_samples)}</span>` : nothing}
      ${job.size ? html`<span>${bytes(job.size)}</span>` : nothing}
      <span>${moment(job.created_at)}</span>
    </span>
    ${state.jobs.asked === job.job_id
      ? html`<span class="sure" role="alert">
          ${t.removeSure(jobName(job))}
          <button class="danger" @click=${() => remove(job)}>${t.remove}</button>
          <button class="quiet" @click=${() => ask(null)}>${t.keep}</button>
        </span>`
      : html`<button class="quiet remove" data-removes=${job.job_id} aria-label=${t.removeName(jobName(job))} @click=${() => ask(job.job_id)}>${t.remove}</button>`}
  </li>
`;

const remove = (job) =>
  working("deleting", async () => {
    await service.call(`jobs/${job.job_id}`, { method: "DELETE" });
    changed({ jobs: { ...state.jobs, asked: null } });
    await list();
    focusOn("#content");
  });
