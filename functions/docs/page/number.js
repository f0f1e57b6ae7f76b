// How many clusters: found by the service, or a number.
import { html, noChange, nothing } from "./lit-html.js";
import { live } from "./live.js";
import { changed, state } from "./state.js";
import { t } from "./text.js";

const FIRST = 3; // the number that is offered where none was found yet

/** Whether the service finds the number. */
export const isFound = (options = state.options) => typeof options.clusters !== "number";

const offered = () => state.choice?.n_clusters ?? state.fit?.centers.length ?? FIRST;

/** The options, with a number where rows have weights: the service finds none for those. */
export const withWeight = (options) => (options.weight_column && isFound(options) ? { ...options, clusters: offered() } : options);

/** What a field of numbers shows; of one that is not there yet ("1e"), what stands in it. */
export const shown = (number) => (Number.isNaN(number) ? noChange : live(number === "auto" ? NaN : number));

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
          <input name="clusters" type="number" min="1" max="1000" required .valueAsNumber=${shown(clusters)} @input=${give}>
        </label>`}
  `;
}

const give = (event) => changed({ options: { ...state.options, clusters: event.target.valueAsNumber } });

function choose(event) {
  const clusters = event.target.value === "number" ? offered() : "auto";
  changed({ options: { ...state.options, clusters } });
}
