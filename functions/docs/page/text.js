// The page's words, in the first of the browser's languages that there is a file of.
import { words as de } from "./text.de.js";
import { words as en } from "./text.en.js";

const LANGUAGES = { en, de };

function chosen() {
  for (const wanted of navigator.languages) {
    const language = wanted.toLowerCase().split("-")[0];
    if (Object.hasOwn(LANGUAGES, language)) return language;
  }
  return "en";
}

export const language = chosen();
export const t = LANGUAGES[language];

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
const tiny = new Intl.NumberFormat(language, { maximumSignificantDigits: 3, notation: "scientific" });
const part = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });

const all = new Intl.NumberFormat(language, { maximumSignificantDigits: 15 });

export const exact = (number) => all.format(number);
export const count = (number) => whole.format(number);
export const share = (number) => part.format(number);

/** Of GET choice; where the rows are too few to be halved, nobody knows whether clusters are stable. */
export function verdictOf({ verdict, n_clusters: n, evidence }) {
  return t.choices[verdict === "unstable" && evidence.stability === null ? "unknown" : verdict](n);
}

/** A measured number, to four digits. */
export function measure(number) {
  if (number === null || number === undefined || Number.isNaN(number)) return "–";
  const size = Math.abs(number);
  if (size === 0) return "0"; // not -0
  if (size < 1e-4 || size >= 1e9) return tiny.format(number);
  return size >= 1000 ? whole.format(number) : short.format(number);
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

export function bytes(size) {
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: size < 10 && unit ? 1 : 0 }).format(size)} ${UNITS[unit]}`;
}

const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
export const moment = (iso) => clock.format(new Date(iso));
