// What the service tells of a cluster: its own sentence, or, in other languages than its own, one made of the same figures.
import { html } from "./lit-html.js";
import { state } from "./state.js";
import { exact, language, measure, share, t } from "./text.js";

const TOLD = 0.5; // standard deviations between the means: what the service's own sentences tell
const MOST_TOLD = 3;
const PLAIN = /^[\p{L}_][\p{L}\d_ ().$€%/-]{0,59}$/u; // a name that is not read wrongly in a sentence

const inEnglish = (text) => html`<span lang="en">${text}</span>`;
const isEnglish = language === "en";

export function sentenceOf(told) {
  if (isEnglish) return told.sentence;
  if (!told.size) return t.tells.empty;
  if (told.share === 1) return t.tells.alone;
  const phrases = told.sets_apart.filter(({ difference }) => Math.abs(difference) >= TOLD).slice(0, MOST_TOLD).map(phraseOf);
  return phrases.length ? t.tells.compared(phrases) : inEnglish(told.sentence);
}

/** The name of a column as a sentence may have it. */
const called = ({ name, column }) => (name === null || name === undefined ? t.column(column) : PLAIN.test(name) ? name : t.tells.quoted(name));

function phraseOf(each) {
  const name = called(each);
  if (each.value !== undefined) return sharesOf(name, t.tells.quoted(each.value), each.share, each.rest_share);
  if (state.table.columns[each.column - 1]?.kind === "boolean") return sharesOf(name, t.tells.yes, each.mean, each.rest_mean);
  const [what, own, rest] = middlesOf(each);
  return t.tells.differs(each.difference > 0, isFar(each), name, what, measure(own), measure(rest));
}

const sharesOf = (name, value, own, rest) => t.tells.oftener(own > rest, name, value, share(own), share(rest));

/** The medians, where they differ as the means do; else the means. */
function middlesOf({ difference, mean, rest_mean: restMean, quantiles, rest_quantiles: rest }) {
  const byMedian = quantiles && rest && (quantiles["0.5"] - rest["0.5"]) * difference > 0;
  return byMedian ? [t.tells.median, quantiles["0.5"], rest["0.5"]] : [t.tells.mean, mean, restMean];
}

/** Three quarters of the cluster lie beyond three quarters of the other rows. */
function isFar({ difference, quantiles, rest_quantiles: rest }) {
  if (!quantiles || !rest) return false;
  return difference > 0 ? quantiles["0.25"] > rest["0.75"] : quantiles["0.75"] < rest["0.25"];
}

/** The rule of the tree that names a cluster; its limits are exact. */
export function ruleOf({ text, conditions }) {
  if (isEnglish) return text;
  const words = conditions.map(({ above, up_to: upTo, is, is_not: not, ...column }) => {
    if (is ?? not) return t.tells.isText(called(column), t.tells.quoted(is ?? not), is !== undefined);
    return t.tells.lies(called(column), above === undefined ? null : exact(above), upTo === undefined ? null : exact(upTo));
  });
  return words.join(t.tells.and) || t.tells.everyRow;
}

const NAMED = 5; // columns that a note names

/** In other languages than the service's: which columns were left out and why, and which cells were filled in. It says both in its own notes, each where it is so. */
export function ownNotes() {
  if (isEnglish) return [];
  const { columns } = state.table;
  const out = columns.filter((column) => column.role === "left_out");
  const gaps = columns.filter((column) => column.role === "used" && column.missing);
  const named = out.slice(0, NAMED).map((column) => t.tells.because(called({ name: column.name, column: column.number }), t.rules[column.rule]));
  const how = state.job.preprocessing?.missing ?? "mean"; // a job shows what is not the default
  const filled = ["mean", "median"].includes(how) && gaps.length;
  return [
    out.length && t.tells.leftOut(named, out.length - named.length),
    filled && t.tells.filled(gaps.reduce((sum, column) => sum + column.missing, 0), gaps.length, how),
  ].filter(Boolean);
}
