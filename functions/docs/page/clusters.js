// Each cluster beside the picture: its sign, its size, and what sets it apart; and all of them as a table.
import { html, svg } from "./lit-html.js";
import { nameOf } from "./columns.js";
import { sign } from "./marks.js";
import { clusterName, isRenamed, nameField, numberOf, pencil } from "./names.js";
import { changed, state } from "./state.js";
import { ruleOf, sentenceOf } from "./telling.js";
import { count, measure, share, t } from "./text.js";

const TOLD = 3; // columns that set a cluster apart
const WIDEST = 2; // standard deviations that fill half a bar

export function clustersView() {
  const { fit, job } = state;
  const sizes = job.scores.cluster_sizes;
  return html`
    <section class="clusters" aria-labelledby="clusters">
      <h2 id="clusters">${t.found(fit.centers.length)}</h2>
      <ul>${fit.centers.map((center, cluster) => clusterView(cluster, center, sizes))}</ul>
      ${tableView(sizes)}
    </section>
  `;
}

function clusterView(cluster, center, sizes) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const chosen = state.selected === cluster;
  return html`
    <li class=${chosen ? "cluster card chosen" : "cluster card"}>
      <div class="cluster-top">
      ${isRenamed(String(numberOf(cluster))) ? nameField(String(numberOf(cluster)), clusterName(cluster)) : html`<button class="cluster-name" aria-pressed=${chosen ? "true" : "false"} @click=${() => changed({ selected: chosen ? null : cluster })}>
        ${sign(cluster)} <strong>${clusterName(cluster)}</strong>
        <span class="muted">${t.rows(sizes[cluster])} · ${share(sizes[cluster] / total)}</span>
      </button>${pencil(String(numberOf(cluster)), clusterName(cluster))}`}
      </div>
      ${sentenceView(cluster)}
      <dl class="apart" aria-label=${t.apart}>${toldOf(cluster, center).map(apartView)}</dl>
      ${chosen ? moreView(cluster) : ""}
    </li>
  `;
}

const described = (cluster) => state.clusters?.clusters?.find((one) => one.label === cluster);

/** What the service says of a cluster; its place is kept while that is made. */
function sentenceView(cluster) {
  if (!state.clusters) return html`<p class="sentence coming muted">…</p>`;
  const told = described(cluster);
  return told ? html`<p class="sentence">${sentenceOf(told)}</p>` : "";
}

/** Of a chosen cluster: the rule that names it, and the row in its middle. */
function moreView(cluster) {
  const told = described(cluster);
  if (!told) return "";
  const { rule, typical_row: typical } = told;
  return html`
    ${rule ? html`<p class="rule"><strong>${t.rule}</strong> ${ruleOf(rule)} <span class="muted">(${t.ruleHolds(share(rule.coverage), share(rule.precision))})</span></p>` : ""}
    ${typical ? html`<p class="rule"><strong>${t.typical}</strong> ${typical.cells.join(", ")} <span class="muted">(${t.line} ${count(typical.line)})</span></p>` : ""}
  `;
}

/** What sets a cluster apart, as the service says; until then, where its center lies far from the file's mean. */
function toldOf(cluster, center) {
  const told = described(cluster);
  if (!told) return farthest(center);
  return told.sets_apart.slice(0, TOLD).map(({ name, column, value, difference, mean, share: part }) => ({
    name: value === undefined ? name ?? t.column(column) : `${name ?? t.column(column)}: ${value}`,
    value: value === undefined ? measure(mean) : share(part),
    z: difference,
  }));
}

/** The columns in which a center lies farthest from the file's mean, in standard deviations. */
function farthest(center) {
  return state.fit.used
    .map((number, index) => {
      const column = state.table.columns[number - 1];
      return column && { name: nameOf(column), value: measure(center[index]), z: column.sd ? (center[index] - column.mean) / column.sd : 0 };
    })
    .filter(Boolean)
    .sort((a, b) => Math.abs(b.z) - Math.abs(a.z))
    .slice(0, TOLD);
}

function apartView({ name, value, z }) {
  const length = Math.min(1, Math.abs(z) / WIDEST) * 48;
  const bar = svg`<svg class="z" viewBox="0 0 96 10" width="96" height="10" aria-hidden="true"><line x1="48" x2="48" y1="0" y2="10"></line><rect x=${z < 0 ? 48 - length : 48} y="1.5" width=${length} height="7" rx="1"></rect></svg>`;
  return html`
    <div>
      <dt title=${name}>${name}</dt>
      <dd>${bar}<span class="value">${value}</span><span class="unseen">${z < 0 ? t.lower : t.higher}</span></dd>
    </div>
  `;
}

/** What the picture shows, for who does not see it. */
function tableView(sizes) {
  const { fit, table } = state;
  const names = fit.used.map((number, index) => fit.names?.[index] ?? (number ? nameOf(table.columns[number - 1]) : index + 1));
  return html`
    <details>
      <summary>${t.table}</summary>
      <div class="scroll" tabindex="0" role="group" aria-label=${t.table}>
        <table>
          <thead><tr><th scope="col">${t.clusters}</th><th scope="col" class="right">${t.size}</th>${names.map((name) => html`<th scope="col" class="right">${name}</th>`)}</tr></thead>
          <tbody>
            ${fit.centers.map((center, cluster) => html`
              <tr><th scope="row">${sign(cluster)} ${clusterName(cluster)}</th><td class="right">${count(sizes[cluster])}</td>${center.map((value) => html`<td class="right">${measure(value)}</td>`)}</tr>
            `)}
          </tbody>
        </table>
      </div>
    </details>
  `;
}
