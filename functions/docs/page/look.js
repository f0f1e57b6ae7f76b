// The picture beside its controls: which two directions, zoom, and the row that is pointed at.
import { html, nothing } from "./lit-html.js";
import { live } from "./live.js";
import { alongColumns, principal } from "./axes.js";
import { nameOf } from "./columns.js";
import { sign } from "./marks.js";
import { clusterName } from "./names.js";
import { Picture } from "./picture.js";
import { changed, state } from "./state.js";
import { count, language, measure, t } from "./text.js";
import { askRows, measured } from "./rows.js";
import { working } from "./work.js";

const PRINCIPAL = "principal";
const MOST_DRAWN = 100_000;
const CELLS = 12; // of a row that is pointed at
const NO_ROWS = { xs: new Float64Array(0), ys: new Float64Array(0) };
let picture = null;
let canvas = null;
let made = {};
let shown = null;

/** Positions of everything that is shown, made anew only where something of it has changed. */
function scene() {
  const { fit, rows, axes, points, sample } = state;
  const of = [fit, rows, axes, points, sample];
  if (of.some((part, index) => part !== made.of?.[index])) made = { of, order: orderOf(rows), ...places() };
  return { ...made, selected: state.selected, outliers: state.outliers ? state.told?.outliers : null };
}

function places() {
  const { rows, axes, sample, fit } = state;
  if (!rows && sample) return { ...sample, xName: axisName(0), yName: axisName(1) };
  const placed = axes.kind === PRINCIPAL && rows ? onPrincipal() : onColumns();
  return { ...placed, labels: rows ? fit.labels : new Int32Array(0) };
}

/** Which rows are drawn: of very many, some by chance. */
function orderOf(rows) {
  if (!rows || rows.n <= MOST_DRAWN) return null;
  const order = new Uint32Array(MOST_DRAWN);
  const step = rows.n / MOST_DRAWN;
  return order.map((_, index) => Math.min(rows.n - 1, Math.floor((index + Math.random()) * step)));
}

function onColumns() {
  const { fit, rows, axes, points } = state;
  const place = (center) => [axes.x, axes.y].map((number) => center[fit.used.indexOf(number)]);
  return {
    ...(rows ? alongColumns(rows, axes.x, axes.y) : NO_ROWS),
    centers: fit.centers.map((center) => place(center).map((value) => value ?? NaN)),
    xName: columnName(axes.x),
    yName: columnName(axes.y),
    more: points?.rows ? { ...alongColumns(points.rows, axes.x, axes.y), labels: points.labels } : null,
  };
}

function onPrincipal() {
  const { fit, rows, points, table } = state;
  const axes = principal(rows, fit.used.filter(Boolean).map((number) => table.columns[number - 1]));
  return {
    ...axes.onto(rows),
    centers: fit.centers.map((center) => axes.place(center.filter((_, index) => fit.used[index]))),
    xName: t.firstAxis,
    yName: t.secondAxis,
    more: points?.rows ? { ...axes.onto(points.rows), labels: points.labels } : null,
  };
}

/** The service's words for an axis are English. */
function axisName(index) {
  const axis = state.sample.axes[index];
  return axis ? axis.name ?? (language === "en" ? axis.text : [t.firstAxis, t.secondAxis][index]) : "";
}

const columnName = (number) => nameOf(state.table.columns[number - 1]);

export function pictureView() {
  const seen = (shown = scene());
  const { rows, fit, point } = state;
  const unseen = rows ? seen.xs.reduce((sum, x, i) => sum + (Number.isNaN(x + seen.ys[i]) ? 1 : 0), 0) : 0;
  return html`
    <section class="picture card" aria-label=${t.picture}>
      <div class="picture-top">
        ${!rows && state.sample ? nothing : html`${axisChoice("x", t.horizontal)} ${axisChoice("y", t.vertical)}`}
        ${rows ? html`<label class="tick" title=${t.outliersAbout}><input type="checkbox" .checked=${live(Boolean(state.told && state.outliers))} @change=${markOutliers}> ${t.outliers}</label>` : nothing}
        <span class="zoom">
          <button class="icon" aria-label=${t.zoomOut} title=${t.zoomOut} @click=${() => picture.zoomBy(1 / 1.5)}>−</button>
          <button class="icon" aria-label=${t.zoomIn} title=${t.zoomIn} @click=${() => picture.zoomBy(1.5)}>+</button>
          <button class="quiet" @click=${() => picture.whole()}>${t.wholePicture}</button>
        </span>
      </div>
      <div class="frame">
        <canvas id="picture" tabindex="0" role="application" aria-label=${t.pictureAbout(rows ? rows.n - unseen : seen.xs.length, seen.xName, seen.yName)} aria-describedby="picture-keys">
        </canvas>
        ${point === null ? nothing : rows ? rowView(point) : lineView(point)}
      </div>
      <p class="muted small" id="picture-keys">${hint(rows)} <span class="unseen">${t.pictureKeys}</span> ${unseen ? t.unseen(unseen) : nothing}</p>
    </section>
  `;
}

/** Draws the picture once its canvas is there: after the page was drawn. */
export function showPicture() {
  const found = document.getElementById("picture");
  if (!found) return;
  if (found !== canvas) {
    canvas = found;
    picture = new Picture(canvas, pointed);
  }
  picture.show(shown);
}

function pointed(point) {
  if (!state.rows) return changed({ point, said: point === null ? "" : lineWords(point) });
  const said = point === null ? "" : `${t.row(point + 1)}, ${clusterName(state.fit.labels[point])}: ${shownCells(point).map(([name, cell]) => `${name} ${cell}`).join(", ")}`;
  changed({ point, said });
}

/** Which rows are outliers is told by the service, when somebody wants to know. */
function markOutliers(event) {
  changed({ outliers: event.target.checked });
  if (event.target.checked && !state.told) working("reading", (_work, signal) => askRows(signal));
}

function shownCells(point) {
  const cells = state.rows.row(point);
  return state.table.columns.slice(0, CELLS).map((column) => [nameOf(column), cells[column.number - 1] ?? ""]);
}

function hint(rows) {
  if (!rows) return state.sample ? t.sampled(state.sample.xs.length, state.sample.all) : t.centersOnly;
  return rows.n > MOST_DRAWN ? html`${t.sampled(MOST_DRAWN, rows.n)} ${t.pictureHint}` : t.pictureHint;
}

/** Of a row of the sample only its place in the file is known. */
const lineWords = (point) => `${clusterName(state.sample.labels[point])} · ${t.line} ${count(state.sample.lines[point])}`;
const lineView = (point) => html`<div class="tip card" aria-hidden="true"><strong>${sign(state.sample.labels[point])} ${lineWords(point)}</strong></div>`;

const rowView = (point) => html`
  <div class=${picture.isRight(point) ? "tip card left" : "tip card"} aria-hidden="true">
    <strong>${sign(state.fit.labels[point])} ${clusterName(state.fit.labels[point])} · ${t.row(point + 1)}</strong>
    <dl>${shownCells(point).map(([name, cell]) => html`<div><dt>${name}</dt><dd>${cell}</dd></div>`)}
      ${state.told ? html`<div><dt>${t.distance}</dt><dd>${measure(state.told.distances[point])}</dd></div>` : nothing}
    </dl>
  </div>
`;

function axisChoice(axis, label) {
  const { axes, rows, table, fit } = state;
  const columns = rows ? measured(table) : table.columns.filter((column) => fit.used.includes(column.number));
  const value = axes.kind === PRINCIPAL ? PRINCIPAL : String(axes[axis]);
  return html`
    <label class="field inline">
      <span>${label}</span>
      <select @change=${(event) => choose(axis, event.target.value)}>
        ${columns.map((column) => html`<option value=${column.number} ?selected=${value === String(column.number)}>${nameOf(column)}</option>`)}
        ${rows && fit.used.length > 2 ? html`<option value=${PRINCIPAL} ?selected=${value === PRINCIPAL}>${t.principal}</option>` : nothing}
      </select>
    </label>
  `;
}

function choose(axis, value) {
  if (value === PRINCIPAL) return changed({ axes: { ...state.axes, kind: PRINCIPAL } });
  changed({ axes: { ...state.axes, kind: "columns", [axis]: Number(value) } });
}
