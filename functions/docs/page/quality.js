// How good the clusters are: in words, and over all numbers of them that were tried.
import { html, nothing, svg } from "./lit-html.js";
import { auditView } from "./audit.js";
import { ownNotes } from "./telling.js";
import { state } from "./state.js";
import { count, measure, share, t, verdictOf } from "./text.js";

const WIDE = 360;
const HIGH = 150;
const ROOM = { left: 58, right: 14, top: 12, bottom: 24 };
const MOST_NAMES = 14; // numbers below the curve

export function qualityView() {
  const { choice, job } = state;
  const { scores, warnings = [] } = job;
  return html`
    <section class="quality" aria-label=${t.quality}>
      ${choice ? verdictView(choice, scores) : silhouetteView(scores)}
      ${auditView()}
      ${notesView(warnings)}
      ${choice ? html`${curveView(choice)}${triedView(choice)}` : nothing}
    </section>
  `;
}

const FEW = 3; // notes that are open at once

/** What the page can say itself, and the service's sentences: they stay folded where the page has said all of them. */
function notesView(warnings) {
  if (!warnings.length) return nothing;
  const own = ownNotes();
  const english = html`<ul lang="en">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`;
  if (!own.length) return html`<details ?open=${warnings.length < FEW}><summary>${t.notes(warnings.length)}</summary>${english}</details>`;
  return html`
    <details open><summary>${t.notes(own.length)}</summary><ul>${own.map((note) => html`<li>${note}</li>`)}</ul></details>
    <details ?open=${own.length < warnings.length}><summary>${t.inEnglish}</summary>${english}</details>
  `;
}

const silhouetteView = (scores) =>
  scores?.silhouette === undefined
    ? nothing
    : html`<p><strong>${t.verdict(scores.silhouette)}</strong> <span class="muted">${t.silhouette} ${share(scores.silhouette)}</span></p>`;

function verdictView(choice, scores) {
  const { verdict, sample_size: judged, evidence } = choice;
  const { n_samples: all } = state.job;
  const figures = [
    evidence.stability === null ? "" : `${t.stability} ${share(evidence.stability)}`,
    scores.silhouette === undefined ? "" : `${t.silhouette} ${share(scores.silhouette)}`,
  ].filter(Boolean);
  return html`
    <p class="verdict" data-verdict=${verdict}><strong>${verdictOf(choice)}</strong> <span class="muted">${figures.join(" · ")}</span></p>
    ${judged < all ? html`<p class="muted">${t.judgedOn(judged, all)}</p>` : nothing}
  `;
}

/** The index that proposed the number, over all that were tried: the largest was chosen. */
function curveView({ n_clusters: chosen, candidates, evidence }) {
  const index = evidence.index ?? "calinski_harabasz";
  const known = candidates.filter((one) => one[index] !== null);
  if (known.length < 2) return nothing;
  const numbers = known.map((one) => one.n_clusters);
  const values = known.map((one) => Math.max(0, one[index]));
  const [first, last, most] = [numbers[0], numbers.at(-1), Math.max(...values)];
  const x = (n) => ROOM.left + ((n - first) / (last - first)) * (WIDE - ROOM.left - ROOM.right);
  const y = (value) => HIGH - ROOM.bottom - (value / most) * (HIGH - ROOM.top - ROOM.bottom);
  const every = Math.ceil(numbers.length / MOST_NAMES);
  const mark = (n) => (n === chosen ? "chosen" : "");
  return html`
    <figure class="curve card">
      <figcaption aria-hidden="true">${t.curveTitle(t.indices[index])}</figcaption>
      ${svg`<svg viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${t.curveAbout(t.indices[index], first, last, chosen)}>
        <line class="base" x1=${ROOM.left} x2=${WIDE - ROOM.right} y1=${y(0)} y2=${y(0)}></line>
        <text class="scale" x=${ROOM.left - 10} y=${y(most) + 4}>${measure(most)}</text>
        <text class="scale" x=${ROOM.left - 10} y=${y(0) + 4}>0</text>
        <path d=${`M${known.map((one) => `${x(one.n_clusters)} ${y(Math.max(0, one[index]))}`).join("L")}`}></path>
        ${known.map(({ n_clusters: n, [index]: value }) => svg`<circle class=${mark(n)} cx=${x(n)} cy=${y(Math.max(0, value))} r=${n === chosen ? 6 : 3.5}></circle>`)}
        ${numbers.filter((n, i) => n === chosen || (i % every === 0 && Math.abs(n - chosen) >= every)).map((n) => svg`<text class=${mark(n)} x=${x(n)} y=${HIGH - 6}>${n}</text>`)}
      </svg>`}
    </figure>
  `;
}

/** What the curve shows, and every other index, in numbers. */
function triedView({ n_clusters: chosen, candidates }) {
  const names = Object.keys(t.indices);
  return html`
    <details class="tried">
      <summary>${t.tried}</summary>
      <div class="scroll card" tabindex="0" role="group" aria-label=${t.tried}>
        <table>
          <thead><tr><th scope="col">${t.clusters}</th>${names.map((name) => html`<th scope="col" class="right">${t.indices[name]}</th>`)}</tr></thead>
          <tbody>
            ${candidates.map((one) => html`<tr><th scope="row">${count(one.n_clusters)}${one.n_clusters === chosen ? ` (${t.chosen})` : ""}</th>${names.map((name) => html`<td class="right">${measure(one[name])}</td>`)}</tr>`)}
          </tbody>
        </table>
      </div>
    </details>
  `;
}
