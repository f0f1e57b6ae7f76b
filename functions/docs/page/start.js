// The beginning: a file is dropped, chosen or pasted; or the example is taken.
import { html } from "./lit-html.js";
import { customers } from "./example.js";
import { sign } from "./marks.js";
import { state } from "./state.js";
import { t } from "./text.js";
import { predict } from "./second.js";
import { take } from "./work.js";

const EDITABLE = "input, textarea, select, [contenteditable]";

export const startView = () => html`
  <section class="start">
    <h1>${t.title}</h1>
    <p class="lead">${t.lead}</p>
    <div class="drop">
      <div class="drop-signs" aria-hidden="true">${[0, 1, 2, 3, 4].map(sign)}</div>
      <p class="drop-words"><span class="rest">${t.drop}</span><span class="over">${t.dropNow}</span></p>
      <label class="button primary">
        ${t.choose}
        <input class="unseen" type="file" data-use="take" @change=${chosen}>
      </label>
      <p class="muted">${t.paste}</p>
      <p class="muted small">${t.kinds}</p>
    </div>
    <div class="example">
      <div>
        <strong>${t.noFile}</strong>
        <span class="muted">${t.exampleAbout}</span>
      </div>
      <button @click=${example}>${t.example}</button>
    </div>
  </section>
`;

export function chosen(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) (event.target.dataset.use === "predict" ? predict : take)(file);
}

function example() {
  take(new File([customers()], t.exampleName, { type: "text/csv" }));
}

/** Files may be dropped, and cells pasted, anywhere on the page. */
export function takesDrops() {
  let depth = 0;
  const over = (on) => document.documentElement.classList.toggle("dropping", on);
  addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    over(true);
  });
  addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) over(false);
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    const [file] = event.dataTransfer.files;
    if (!file || state.needsToken || state.signed) return;
    (event.target.closest?.("[data-drop=predict]") ? predict : take)(file);
  });
  addEventListener("paste", (event) => {
    if (event.target.closest?.(EDITABLE) || state.needsToken || state.signed) return;
    const [file] = event.clipboardData.files;
    const text = event.clipboardData.getData("text/plain");
    if (file) take(file);
    else if (text.includes("\n")) take(new File([text], t.pastedName, { type: "text/csv" }));
  });
}
