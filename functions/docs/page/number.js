// How many clusters: found by the service, or a number.
import { html, nothing } from "./lit-html.js";
import { live } from "./live.js";
import { changed, state } from "./state.js";
import { t } from "./text.js";

const FIRST = 3; // the number that is offered where none was found yet

/** Whether the service finds the number. */
export const isFound = (options = state.options) => typeof options.clusters !== "number";

const offered = () => state.choice?.n_clusters ?? state.fit?.centers.length ?? FIRST;

/** The options, with a number where rows have weights: the service finds none for those. */
export const withWeight = (options) => (options.weight_column && isFound(options) ? { ...options, clusters: offered() } : options);

/** Hears of what is typed; a field that is on the way to a number ("1e") keeps what it has. */
export const typed = (hear) => (event) => event.target.validity.badInput || hear(event);

export function numberView() {
  const { clusters, weight_column: weight } = state.options;
  const found = isFound();
  return html`
    <label class="field short">
      <span>${t.numberOfClusters}</span>
      <select name="find" @change=${choose}>
        ${typeof clusters === "object" ? html`<option value="between" selected>${t.findBetween(clusters.min, clusters.max)}</option>` : nothing}
        <option value="auto" ?disabled=${Boolean(weight)} .selected=${live(clusters === "auto")}>${t.findNumber}</option>
        <option value="number" .selected=${live(!found)}>${t.giveNumber}</option>
      </select>
    </label>
    ${found
      ? nothing
      : html`<label class="field short">
          <span>${t.howMany}</span>
          <input name="clusters" type="number" min="1" max="1000" required .valueAsNumber=${live(clusters)} @input=${typed(give)}>
        </label>`}
  `;
}

const give = (event) => changed({ options: { ...state.options, clusters: event.target.valueAsNumber } });

function choose(event) {
  const clusters = event.target.value === "number" ? offered() : "auto";
  changed({ options: { ...state.options, clusters } });
}
