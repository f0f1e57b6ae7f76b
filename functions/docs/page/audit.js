// How sure the clusters are: whether other starts find better ones, told when somebody asks, with what mends it.
import { html, nothing } from "./lit-html.js";
import { askAudit } from "./explain.js";
import { changed, state } from "./state.js";
import { measure, share, t } from "./text.js";
import { refit } from "./work.js";

const TELLING_GAP = 0.001; // both as the service's own warnings have them
const TELLING_AGREEMENT = 0.95;

export function auditView() {
  const { audit } = state;
  if (!state.job.links.audit) return nothing;
  if (!audit) return html`<p><button @click=${check}>${t.audit}</button> <span class="muted small">${t.auditAbout}</span></p>`;
  if (audit === "coming") return html`<p class="muted">${t.auditing}</p>`;
  if (audit.refused) return html`<p class="muted" lang="en">${audit.refused}</p>`;
  return toldView(audit);
}

async function check() {
  const told = await askAudit(state.job.job_id, state.fit);
  changed({ said: told.refused ?? auditWords(told) });
}

function toldView(audit) {
  const { n_starts: starts, reached, gap, agreement, distinct_optima: optima } = audit;
  const figures = t.auditFigures({ starts, reached: share(reached), optima, gap: measure(gap * 100), agreement: measure(agreement) });
  return html`
    <p class="audit"><strong>${auditWords(audit)}</strong> <span class="muted">${figures}</span></p>
    ${isSure(audit) ? nothing : html`<p><button @click=${searchOn}>${t.searchOn}</button></p>`}
  `;
}

const isSure = ({ gap, agreement }) => gap <= TELLING_GAP && agreement >= TELLING_AGREEMENT;

function auditWords(audit) {
  if (audit.gap > TELLING_GAP) return t.audits.better;
  return isSure(audit) ? t.audits.sure : t.audits.others;
}

/** What the service advises: more starts of a search, or a search. */
function searchOn() {
  const more = state.job.model_params.algorithm === "swap" ? { n_init: 10 } : { algorithm: "swap" };
  changed({ options: { ...state.options, ...more } });
  refit();
}
