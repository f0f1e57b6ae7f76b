// What can be taken away, the lines that do the same from a program, and the second file.
import { html, nothing } from "./lit-html.js";
import { BASE, fitsRequest, keep, save, token } from "./service.js";
import { chosen } from "./start.js";
import { changed, state } from "./state.js";
import { t } from "./text.js";
import { MOST_RINGS } from "./picture.js";
import { isFound } from "./number.js";
import { request, working } from "./work.js";

const stem = () => state.job.filename.replace(/\.[^.]*$/, "");

export function takeView() {
  const files = [
    { path: "rows", name: `${stem()}-clusters.csv`, accept: "text/csv", title: t.rowsFile, about: t.rowsAbout },
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

const fetchFile = ({ path, name, accept }) =>
  working("saving", (work) => {
    const told = ({ progress }) => changed({ work: Object.assign(work, { progress }) });
    return save(`jobs/${state.job.job_id}/${path}`, name, accept, told);
  });

// --- the same from a program --------------------------------------------------------

const base = BASE.replace(/\/$/, "");

/** What the page asks for, without what the service would do anyway. */
function asked() {
  const { model_params, preprocessing, align_to } = request(state.job.job_id, state.options);
  const kept = (object, defaults) => Object.fromEntries(Object.entries(object).filter(([name, value]) => value !== defaults[name]));
  const body = { model_params: kept(model_params, { algorithm: "lloyd", n_init: "auto", max_iter: 300, tol: 0.0001, random_state: 0 }) };
  const plan = kept(preprocessing, { scaling: "none", missing: "mean", normalize: "none", categories: "leave_out" });
  return { ...body, ...(Object.keys(plan).length && { preprocessing: plan }), ...(align_to !== undefined && { align_to }) };
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlLines() {
  const header = token.get() ? ' -H "Authorization: Bearer $TOKEN"' : "";
  const body = JSON.stringify({ job_id: "JOB", ...asked() }).replace('"JOB"', `${state.job.job_id}`);
  return [
    ...(fitsRequest(state.job) ? [`curl${header} -F ${shell(`file=@${state.job.filename}`)} ${base}/upload`] : []),
    `curl${header} --json ${shell(body)} ${base}/fit`,
    `curl${header} ${base}/jobs/${state.job.job_id}/centers`,
    ...(isFound() ? [`curl${header} ${base}/jobs/${state.job.job_id}/choice`] : []),
  ].join("\n");
}

/** A text, a number, or an object or array of such, in Python. */
function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each)}`).join(", ")}}`;
}

function pythonLines() {
  const { model_params: params, preprocessing, align_to: aligned } = asked();
  const given = ["job", literal(params), ...(preprocessing ? [literal(preprocessing)] : []), ...(aligned === undefined ? [] : [`align_to=${aligned}`])];
  const [imports, opened] = token.get() ? ["import os\n\n", ', token=os.environ["TOKEN"]'] : ["", ""];
  return [
    `# ${t.pythonNeeds}`,
    `${imports}from kmeans_client import Client`,
    "",
    `with Client(${JSON.stringify(base)}${opened}) as client:`,
    `    job = client.upload(${JSON.stringify(state.job.filename)})["job_id"]`,
    `    labels = client.fit(${given.join(", ")})`,
    "    print(labels, client.get_centers(job))",
    ...(isFound() ? ["    print(client.get_choice(job))"] : []),
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
          ? html`<p class="facts"><strong>${points.name}</strong><span>${t.predicted(points.rows?.n)}</span><span>${placesOf(points)}</span></p>
              <button @click=${saveRows}>${t.predictRows}</button>
              <button class="quiet" @click=${() => changed({ points: null })}>${t.predictNone}</button>`
          : nothing}
      </div>
    </section>
  `;
}

function placesOf({ rows }) {
  if (!rows) return t.unplaced;
  return rows.n > MOST_RINGS ? t.sampled(MOST_RINGS, rows.n) : "";
}

const saveRows = () => keep(state.points.blob, `${state.points.name.replace(/\.[^.]*$/, "")}-clusters.csv`);
