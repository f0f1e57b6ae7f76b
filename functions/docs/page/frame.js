// What stands around every view: the header, what is going on, what went wrong, and the question for a token.
import { html, nothing } from "./lit-html.js";
import { BASE, kindOf, token } from "./service.js";
import { chosen } from "./start.js";
import { changed, state } from "./state.js";
import { bytes, share, t } from "./text.js";

export const header = () => html`
  <header class="top">
    <a class="brand" href="#" aria-label="K-means">
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
        <g class="brand-a"><circle cx="7" cy="10" r="3.4"></circle><circle cx="13" cy="6" r="3.4"></circle><circle cx="13.5" cy="13.5" r="3.4"></circle></g>
        <g class="brand-b"><path d="M22 13l4 7h-8z"></path><path d="M26.500 21l4 7h-8z"></path><path d="M17.500 21l4 7h-8z"></path></g>
      </svg>
      <span>K-means</span>
    </a>
    <nav>
      <a href="#" aria-current=${state.view === "start" ? "page" : nothing}>${t.start}</a>
      <a href="#jobs" aria-current=${state.view === "jobs" ? "page" : nothing}>${t.jobs}</a>
      <a href=${new URL("ui/", BASE).href}>${t.api}</a>
      ${token.get() ? html`<button class="quiet" @click=${forget}>${t.tokenForget}</button>` : nothing}
    </nav>
  </header>
`;

function forget() {
  token.forget();
  changed({ needsToken: true, job: null, jobs: null, view: "start" });
}

// --- what is going on ---------------------------------------------------------------

export function workView() {
  const { work } = state;
  if (!work) return nothing;
  const part = partOf(work);
  return html`
    <section class="work" aria-label=${t.stages[work.stage]}>
      <div class="work-words">
        <strong>${t.stages[work.stage]}</strong>
        <span class="muted">${work.broken || state.offline ? t.broken : work.total ? sent(work) : detail(work)}</span>
      </div>
      ${part === null
        ? html`<progress class="bar" aria-label=${t.stages[work.stage]}></progress>`
        : html`<progress class="bar" max="1" .value=${part} aria-label=${t.stages[work.stage]}></progress>`}
      <button class="quiet" @click=${() => work.cancel()}>${t.cancel}</button>
    </section>
  `;
}

/** How much of it is done, from 0 to 1; null where nobody knows. */
function partOf({ total, done, before, progress }) {
  if (total) return (done ?? before ?? 0) / total;
  return progress?.percent === undefined ? null : progress.percent / 100;
}

function sent(work) {
  const done = work.done ?? work.before ?? 0;
  const seconds = (performance.now() - work.began) / 1000;
  const speed = (done - work.before) / Math.max(seconds, 0.1);
  const words = [t.sent(bytes(done), bytes(work.total))];
  if (speed > 0 && seconds > 1) words.push(`${bytes(speed)}/s`, t.left((work.total - done) / speed));
  return words.join(" · ");
}

function detail({ progress, status }) {
  if (!progress) return status ? t.statuses[status] : "";
  const { stage, n_clusters: n, iteration, percent, cents } = progress;
  const words = [
    n ? t.trying(n) : t.steps[stage],
    iteration && t.iteration(iteration),
    percent !== undefined && share(percent / 100),
    cents && t.spent(cents),
  ];
  return words.filter(Boolean).join(" · ");
}

// --- what went wrong ----------------------------------------------------------------

/** What went wrong in the page's language, as far as the problem's own members say it; the service's words stay below. */
function detailView(problem) {
  const told = t.details[kindOf(problem)]?.(problem);
  return html`
    ${told ? html`<p>${told}</p>` : nothing}
    <p class=${told ? "muted" : ""} lang=${problem.status ? "en" : nothing}>${problem.detail}</p>
  `;
}

export function problemView() {
  const { problem } = state;
  if (!problem) return nothing;
  return html`
    <section class="problem" role="alert">
      <h2>${t.problems[kindOf(problem)] ?? html`<span lang=${problem.status ? "en" : nothing}>${problem.title}</span>`}</h2>
      ${detailView(problem)}
      ${problem.lines ? excerptView(problem) : nothing}
      <p>
        ${state.view === "job" && !state.job && !problem.again ? html`<label class="button primary">${t.chooseOther}<input class="unseen" type="file" data-use="take" @change=${chosen}></label>` : nothing}
        ${problem.again ? html`<button @click=${problem.again}>${t.again}</button>` : nothing}
        <button class="quiet" @click=${() => changed({ problem: null })}>${t.close}</button>
      </p>
    </section>
  `;
}

/** The lines of the file around the cell that is wrong. */
export const excerptView = ({ lines, column }) => html`
  <div class="scroll" tabindex="0" role="group" aria-label=${t.line}>
    <table class="excerpt">
      <tbody>
        ${lines.map(
          (line) => html`
            <tr class=${line.wrong ? "wrong" : ""}>
              <th scope="row">${line.number}</th>
              <td><code>${line.wrong ? marked(line.text, column) : line.text}</code></td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  </div>
`;

/** A line with its cell marked; cells are counted at the delimiter that the line has most of. */
function marked(text, column) {
  if (!column) return text;
  const delimiter = [",", ";", "\t", "|"].sort((a, b) => text.split(b).length - text.split(a).length)[0];
  const cells = text.split(delimiter);
  if (column > cells.length) return html`${text}<mark>&nbsp;?&nbsp;</mark>`;
  const before = cells.slice(0, column - 1).map((cell) => cell + delimiter).join("");
  const after = cells.slice(column).map((cell) => delimiter + cell).join("");
  return html`${before}<mark>${cells[column - 1] || html`&nbsp;`}</mark>${after}`;
}

// --- who may ask --------------------------------------------------------------------

export const signedView = () => html`<section class="problem" role="alert"><h1>${t.signedTitle}</h1><p>${t.signed}</p></section>`;

export const closedView = () => html`
  <section class="card narrow">
    <h1>${t.token}</h1>
    <p>${t.tokenLead}</p>
    <form @submit=${submit}>
      <label for="token">${t.token}</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required pattern="\\s*km_\\S+\\s*" placeholder="km_…">
      <button class="primary">${t.tokenGo}</button>
    </form>
    <p class="muted">${t.tokenKept}</p>
  </section>
`;

function submit(event) {
  event.preventDefault();
  const given = new FormData(event.target).get("token").trim();
  dispatchEvent(new CustomEvent("kmeans-token", { detail: given }));
}
