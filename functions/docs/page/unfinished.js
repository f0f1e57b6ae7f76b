// A job whose file has come in part: chosen again, it goes on where it broke.
import { html } from "./lit-html.js";
import { giveUp } from "./parts.js";
import { chosen } from "./start.js";
import { state } from "./state.js";
import { bytes, t } from "./text.js";
import { working } from "./work.js";

export function unfinishedView() {
  const { id, size, received, name } = state.unfinished;
  return html`
    <section class="predict card">
      <p>${t.unfinished(bytes(received), bytes(size))} ${name ? t.goOn(name) : t.begunElsewhere}</p>
      ${name ? html`<label class="button primary">${t.choose}<input class="unseen" type="file" data-use="take" @change=${chosen}></label>` : ""}
      <button @click=${() => end(id)}>${t.giveUp}</button>
    </section>
  `;
}

const end = (id) =>
  working("deleting", async () => {
    await giveUp(id);
    location.hash = "";
  });
