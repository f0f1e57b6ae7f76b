// What was understood of the file: its columns, its first rows, and what stands in the way.
import { html, nothing, svg } from "./lit-html.js";
import { live } from "./live.js";
import { excerptView } from "./frame.js";
import { changed, state } from "./state.js";
import { MOST_ROWS } from "./rows.js";
import { excerpt } from "./table.js";
import { count, language, measure, t } from "./text.js";
import { refit } from "./work.js";
import { sign } from "./marks.js";
import { clusterName } from "./names.js";

const SHOWN = 12; // columns before "show all"
const WIDE = 40; // columns of the first rows
const FIRST = 8; // rows

export const nameOf = (column) => column.name ?? t.column(column.number);

/** Whether the next fit uses a column. */
const isUsed = (column) => (state.options.used ? state.options.used.includes(column.number) : ["used", "levels"].includes(column.role));

function toggle(column) {
  const before = state.table.columns.filter(isUsed).map((one) => one.number);
  const used = isUsed(column) ? before.filter((number) => number !== column.number) : [...before, column.number].sort((a, b) => a - b);
  changed({ options: { ...state.options, used } });
}

export function columnsView() {
  const { columns } = state.table;
  const shown = state.allColumns ? columns : columns.slice(0, SHOWN);
  const used = columns.filter(isUsed).length;
  return html`
    <section aria-labelledby="understood">
      <h2 id="understood">${t.understood}</h2>
      <p class="muted above">${t.usedOf(used, columns.length)}</p>
      <div class="scroll card" tabindex="0" role="group" aria-labelledby="understood">
        <table class="columns">
          <thead><tr><th scope="col">${t.use}</th><th scope="col">${t.name}</th><th scope="col">${t.kind}</th><th scope="col" class="right">${t.gaps}</th><th scope="col">${t.range}</th><th scope="col">${t.why}</th></tr></thead>
          <tbody>${shown.map(columnView)}</tbody>
        </table>
      </div>
      ${shown.length < columns.length
        ? html`<p class="muted">${t.shownOf(shown.length, columns.length)} <button class="quiet" @click=${() => changed({ allColumns: true })}>${t.showAll}</button></p>`
        : nothing}
    </section>
  `;
}

const columnView = (column) => html`
  <tr class=${isUsed(column) ? "used" : "unused"}>
    <td><input type="checkbox" .checked=${live(isUsed(column))} aria-label=${t.useColumn(nameOf(column))} @change=${() => toggle(column)}></td>
    <th scope="row">${nameOf(column)}</th>
    <td>${t.kindNames[column.kind]}</td>
    <td class=${column.missing ? "right" : "right none"} data-title=${t.gaps}>${column.missing ? count(column.missing) : "–"}</td>
    <td class=${typeof column.least === "number" ? "range" : "range none"}>${typeof column.least === "number" ? html`<span>${measure(column.least)}</span>${bars(column.bins)}<span>${measure(column.largest)}</span>` : "–"}</td>
    <td class="why">${reasonOf(column)}</td>
  </tr>
`;

function reasonOf(column) {
  const byService = ["used", "levels"].includes(column.role);
  if (state.options.used && isUsed(column) !== byService) return t.changedColumns;
  const word = t.rules[column.rule];
  return word && language !== "en" ? word : html`<span lang=${language === "en" ? nothing : "en"}>${column.reason}</span>`;
}

function bars(bins) {
  if (!bins) return svg`<svg class="bins" width="80" height="20" aria-hidden="true"></svg>`;
  const most = Math.max(...bins, 1);
  const width = 80 / bins.length;
  const bar = (n, i) => svg`<rect x=${i * width} y=${20 - (n / most) * 20} width=${width - 1} height=${(n / most) * 20}></rect>`;
  return svg`<svg class="bins" width="80" height="20" aria-hidden="true">${bins.map(bar)}</svg>`;
}

// --- what stands in the way ---------------------------------------------------------

/** Columns that a fit would be refused for, each with its cell and the way on. */
export function refusedView() {
  const { table, options } = state;
  if (!table.refused || options.used) return nothing;
  const wrong = table.columns.filter((column) => column.role === "refused");
  for (const column of wrong.slice(0, 3)) lookUp(column);
  return html`
    <section class="problem" role="alert">
      <h2>${wrong.length ? t.amongNumbers : t.fitFailed}</h2>
      ${wrong.length ? wrong.slice(0, 3).map((column) => html`<p>${refusalOf(column)}</p>`) : html`<p lang="en">${table.refused}</p>`}
      ${wrong.slice(0, 3).map((column) => (column.lines ? excerptView({ lines: column.lines, column: column.number }) : nothing))}
      ${wrong.slice(0, 10).map((column) => html`<button @click=${() => without(column)}>${t.leaveOut(nameOf(column))}</button> `)}
    </section>
  `;
}

const refusalOf = (column) => t.noNumber(nameOf(column), column.number, column.first_other, column.numbers, column.numbers + column.others);

async function lookUp(column) {
  if (column.lines !== undefined || !column.first_other || !state.file) return;
  column.lines = null;
  column.lines = await excerpt(state.file, column.first_other.line).catch(() => null);
  changed();
}

function without(column) {
  const wanted = state.table.columns.filter((one) => one.role === "used" || (one.role === "refused" && one !== column));
  const still = wanted.some((one) => one.role === "refused");
  if (still) return changed({ table: { ...state.table, columns: state.table.columns.map((one) => (one === column ? { ...one, role: "left_out", rule: "chosen", reason: t.changedColumns } : one)) } });
  changed({ options: { ...state.options, used: wanted.map((one) => one.number) } });
  refit();
}

// --- the rows -----------------------------------------------------------------------

export function firstRowsView() {
  const rows = state.rows ?? state.head;
  if (!rows && !(state.byService && state.table.n_rows <= MOST_ROWS)) return nothing;
  return html`
    <section aria-labelledby="first-rows">
      <h2 id="first-rows">${t.firstRows}</h2>
      ${rows ? tableOf(rows) : html`<p class="muted">${t.rowsLater}</p>`}
    </section>
  `;
}

function tableOf(rows) {
  const { table, fit } = state;
  const columns = table.columns.slice(0, WIDE);
  const lines = Array.from({ length: Math.min(FIRST, rows.n) }, (_, i) => i);
  return html`
      <div class="scroll card" tabindex="0" role="group" aria-labelledby="first-rows">
        <table>
          <thead><tr>${fit ? html`<th scope="col">${t.clusters}</th>` : nothing}${columns.map((column) => html`<th scope="col" class=${isUsed(column) ? "" : "unused"}>${nameOf(column)}</th>`)}</tr></thead>
          <tbody>
            ${lines.map((i) => {
              const cells = rows.row(i);
              return html`<tr>${fit ? html`<td>${fit.labels[i] >= 0 ? html`${sign(fit.labels[i])} ${clusterName(fit.labels[i])}` : "–"}</td>` : nothing}${columns.map((column) => html`<td class=${isUsed(column) ? "" : "unused"}>${cells[column.number - 1] ?? ""}</td>`)}</tr>`;
            })}
          </tbody>
        </table>
      </div>
  `;
}
