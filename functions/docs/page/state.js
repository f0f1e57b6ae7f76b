// What the page knows, in one object; whoever changes it calls `changed`, and the page is drawn anew.

export const state = {
  view: "start", // start, job, jobs
  needsToken: false,
  signed: false, // the deployment asks for AWS signatures, which a page cannot make
  problem: null, // of the service, with an excerpt of the file where it names a line
  said: "", // for the live region
  offline: false, // the last call did not reach the service
  unfinished: null, // the file of this job has come in part: {id, size, received, name}
  work: null, // what is going on: {stage, done, total, …, cancel}
  file: null, // as it was dropped, if it was dropped here
  job: null,
  table: null, // GET columns
  rows: null, // the file's rows, where the browser can read them
  head: null, // of a file that is too large for that, its first rows
  byService: false, // only the service can read the rows, as it does once there is a fit
  goesOn: false, // nobody waits here for a fit that the service still works on
  fit: null, // {labels, centers, names}
  choice: null, // GET choice: why so many clusters, where the number was not given
  audit: null, // GET audit, or "coming"
  alike: [], // fitted jobs of the same columns
  migration: null, // GET migration, or "coming"
  told: null, // what the service says of each row: {distances, outliers}
  clusters: null, // GET clusters: sentences, rules, differences
  sample: null, // GET projection, of a file that is too large for the browser
  options: null, // of the next fit
  axes: { kind: "columns", x: null, y: null },
  selected: null, // a cluster
  renamed: null, // what is being renamed: a cluster, or "job 3"
  point: null, // a row
  points: null, // a second file, predicted: {name, blob, rows, labels}
  jobs: null,
};

export const OPTIONS = {
  clusters: "auto", // found, or a number, or {min, max} where a program asked for that
  algorithm: "swap",
  scaling: "none",
  missing: "mean",
  normalize: "none",
  categories: "leave_out",
  weight_column: "", // none
  n_init: "auto",
  max_iter: 300,
  tol: 0.0001,
  random_state: 0,
  align_to: "", // the job whose clusters are continued
  used: null, // numbers of columns, or null for those that the service chooses
  suggested: null, // name of the column that would decide everything, if scaling is "standard" because of it
};

let draw = () => {};
let waiting = false;
const after = []; // what waits for the next drawing

export function drawnBy(function_) {
  draw = function_;
}

export function changed(news = {}) {
  Object.assign(state, news);
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
    for (const action of after.splice(0)) action();
  });
}

/** Moves the focus to what the next drawing makes, so that no keyboard loses its place. */
export function focusOn(selector) {
  after.push(() => document.querySelector(selector)?.focus());
  changed();
}
