// The page: what is shown of the state, and where the address leads.
import { html, nothing, render } from "./lit-html.js";
import { greet as ask, token } from "./service.js";
import { changed, drawnBy, focusOn, state } from "./state.js";
import { language, t } from "./text.js";
import { closedView, header, problemView, signedView, workView } from "./frame.js";
import { startView, takesDrops } from "./start.js";
import { jobView } from "./job.js";
import { showPicture } from "./look.js";
import { jobsView, list } from "./jobs.js";
import { open, refused } from "./work.js";

const VIEWS = { start: startView, job: jobView, jobs: jobsView };

function view() {
  if (state.signed) return signedView();
  if (state.needsToken) return closedView();
  return html`${workView()}${problemView()}${VIEWS[state.view]()}`;
}

function draw() {
  const name = state.view === "job" ? state.job?.name ?? state.job?.filename ?? state.file?.name : null;
  document.title = name ? `${name} · K-means` : "K-means";
  render(
    html`
      <a class="skip" href="#content">${t.skip}</a>
      ${header()}
      <main id="content" tabindex="-1" class=${`view-${state.view}`}>${view()}</main>
      <div class="unseen" role="status" aria-live="polite">${state.said || nothing}</div>
    `,
    document.getElementById("app"),
  );
  showPicture();
}

/** Goes where the address says: #job=3, #jobs, or the beginning. */
function arrive() {
  const address = location.hash.slice(1);
  const id = /^job=(\d+)$/.exec(address)?.[1];
  if (address === "content") return;
  if (id === undefined) {
    state.work?.cancel();
    changed({ view: address === "jobs" ? "jobs" : "start", problem: null, job: null, file: null, fit: null });
    if (address === "jobs") list();
  } else if (state.job?.job_id !== Number(id) && state.work?.id !== Number(id)) {
    open(Number(id));
  }
}

/** Where the service is closed, the page says so before a file is dropped. */
async function greet() {
  if (state.view === "start") await ask().catch(refused);
}

document.documentElement.lang = language;
document.getElementById("app").textContent = "";
drawnBy(draw);
takesDrops();
addEventListener("hashchange", () => {
  const { view } = state;
  arrive();
  if (state.view !== view) focusOn("#content");
});
// A link to where the address already is changes nothing that a browser would tell of.
addEventListener("click", (event) => {
  if (event.target.closest?.(`a[href="${location.hash || "#"}"]`)) arrive();
});
addEventListener("kmeans-token", (event) => {
  token.set(event.detail);
  changed({ needsToken: false });
  arrive();
});
draw();
arrive();
greet();
