// What can be taken away, the lines that do the same from a program, and the second file.
import { html, nothing } from "./lit-html.js";
import { BASE, keep, save, token } from "./service.js";
import { chosen } from "./start.js";
import { changed, state } from "./state.js";
import { t } from "./text.js";
import { isFound } from "./number.js";
import { ROWS } from "./rows.js";
import { predicted, request, working } from "./work.js";

const stem = () => state.job.filename.replace(/\.[^.]*$/, "");

export function takeView() {
  const files = [
    { path: ROWS, name: `${stem()}-clusters.csv`, accept: "text/csv", title: t.rowsFile, about: t.rowsAbout },
    { path: "report", name: `${stem()}-report.html`, accept: "text/html", title: t.report, about: t.reportAbout },
    { path: "labels", name: `${stem()}-labels.csv`, accept: "text/csv", title: t.labels, about: t.labelsAbout },
    { path: "centers", name: `${stem()}-centers.csv`, accept: "text/csv", title: t.centers, about: t.centersAbout },
    { path: "model", name: `${stem()}-model.joblib`, accept: "*/*", title: t.model, about: t.modelAbout },
  ];
  return html`
    <section aria-labelledby="take">
      <h2 id="take">${t.take}</h2>
      <div class="files">
        ${files.map((file) => fileView(file.title, file.about, () => fetchFile(file)))}
      </div>
      <details>
        <summary>${t.lines}</summary>
        ${codeView("curl", curlLines())} ${codeView("Python", pythonLines())}
      </details>
    </section>
  `;
}

const fileView = (title, about, action) => html`
  <button class="file card" @click=${action}><strong>${title}</strong><span class="muted small">${about}</span></button>
`;

const fetchFile = ({ path, name, accept }) => working("saving", () => save(`jobs/${state.job.job_id}/${path}`, name, accept));

// --- the same from a program --------------------------------------------------------

const base = BASE.replace(/\/$/, "");

/** What the page asks for, without what the service would do anyway. */
function asked() {
  const { model_params, preprocessing } = request(state.job.job_id, state.options);
  const kept = (object, defaults) => Object.fromEntries(Object.entries(object).filter(([name, value]) => value !== defaults[name]));
  const body = { model_params: kept(model_params, { algorithm: "lloyd", n_init: "auto", max_iter: 300, tol: 0.0001, random_state: 0 }) };
  const plan = kept(preprocessing, { scaling: "none", missing: "mean", normalize: "none", categories: "leave_out" });
  return Object.keys(plan).length ? { ...body, preprocessing: plan } : body;
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlLines() {
  const header = token.get() ? ' -H "Authorization: Bearer $TOKEN"' : "";
  const body = JSON.stringify({ job_id: "JOB", ...asked() }).replace('"JOB"', `${state.job.job_id}`);
  return [
    `curl${header} -F ${shell(`file=@${state.job.filename}`)} ${base}/upload`,
    `curl${header} --json ${shell(body)} ${base}/fit`,
    `curl${header} ${base}/jobs/${state.job.job_id}/centers`,
    ...(isFound() ? [`curl${header} ${base}/jobs/${state.job.job_id}/choice`] : []),
  ].join("\n");
}

const literal = (value) => JSON.stringify(value, null, 4).replaceAll("null", "None").replaceAll("true", "True").replaceAll("false", "False");

function pythonLines() {
  const { model_params, preprocessing } = asked();
  const session = token.get() ? ['service.headers["Authorization"] = f"Bearer {os.environ[\'TOKEN\']}"'] : [];
  return [
    token.get() ? "import os\n\nimport requests" : "import requests",
    "",
    `url = ${JSON.stringify(base)}`,
    "service = requests.Session()",
    ...session,
    `with open(${JSON.stringify(state.job.filename)}, "rb") as file:`,
    '    job = service.post(f"{url}/upload", files={"file": file}).json()["job_id"]',
    "recipe = " + literal({ model_params, ...(preprocessing && { preprocessing }) }),
    'fit = service.post(f"{url}/fit", json={"job_id": job, **recipe}, headers={"Accept": "application/json"})',
    'labels = fit.json()["labels"]',
    ...(isFound() ? ['choice = service.get(f"{url}/jobs/{job}/choice").json()'] : []),
  ].join("\n");
}

const codeView = (title, lines) => html`
  <div class="code">
    <div class="code-top"><span class="muted">${title}</span><button class="quiet" @click=${() => copy(title, lines)}>${state.copied === title ? t.copied : t.copy}</button></div>
    <pre tabindex="0"><code>${lines}</code></pre>
  </div>
`;

async function copy(title, lines) {
  await navigator.clipboard.writeText(lines);
  changed({ copied: title, said: t.copied });
}

// --- a second file ------------------------------------------------------------------

export function predictView() {
  const { points } = state;
  return html`
    <section aria-labelledby="predict">
      <h2 id="predict">${t.predict}</h2>
      <div class="predict card" data-drop="predict">
        <p>${t.predictAbout}</p>
        <label class="button">${t.choose}<input class="unseen" type="file" data-use="predict" @change=${chosen}></label>
        ${points
          ? html`<p class="facts"><strong>${points.name}</strong><span>${t.predicted(points.labels.length)}</span></p>
              <button @click=${saveRows}>${t.predictRows}</button>
              <button class="quiet" @click=${() => changed({ points: null })}>${t.predictNone}</button>`
          : nothing}
      </div>
    </section>
  `;
}

/** The second file's rows as they were sent, with what the service says of each behind it. */
const saveRows = () =>
  working("saving", async (_work, signal) => {
    const answer = await predicted(state.points.file, "?answer=rows&outlier_quantile=0.95", "text/csv", signal);
    keep(await answer.blob(), `${state.points.name.replace(/\.[^.]*$/, "")}-clusters.csv`);
  });

