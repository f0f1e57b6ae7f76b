// Which two directions the picture shows.

/** The two used columns in which the centers lie farthest apart, for their spread. */
export function twoThatTell(fit, table, sizes) {
  const total = sizes.reduce((sum, size) => sum + size, 0) || 1;
  const told = fit.used.flatMap((number, index) => {
    if (!number) return [];
    const column = table.columns[number - 1];
    const values = fit.centers.map((center) => center[index]);
    const mean = values.reduce((sum, value, cluster) => sum + value * sizes[cluster], 0) / total;
    const between = values.reduce((sum, value, cluster) => sum + sizes[cluster] * (value - mean) ** 2, 0) / total;
    return [{ number, share: column.sd ? between / column.sd ** 2 : 0 }];
  });
  told.sort((a, b) => b.share - a.share || a.number - b.number);
  if (!told.length) return { kind: "columns", x: table.columns[0].number, y: table.columns[0].number }; // texts alone
  const [x, y = x] = told.slice(0, 2).sort((a, b) => a.number - b.number).map((column) => column.number);
  return { kind: "columns", x, y };
}

/** Positions of the rows along two columns, NaN where a cell is missing. */
export function alongColumns(rows, x, y) {
  return { xs: rows.numbers.get(x - 1), ys: rows.numbers.get(y - 1) };
}

/**
 * The two principal axes of the used columns, each divided by its standard deviation; missing cells
 * are the mean. `place` puts a point of the used columns, or a row, on them.
 */
export function principal(rows, columns) {
  const lists = columns.map((column) => rows.numbers.get(column.number - 1));
  const means = columns.map((column) => column.mean);
  const sds = columns.map((column) => column.sd || 1);
  const covariance = covarianceOf(lists, means, sds);
  const first = leading(covariance);
  const second = leading(deflated(covariance, first));
  const along = (axis, values) =>
    values.reduce((sum, value, j) => sum + (Number.isNaN(value) ? 0 : (axis[j] * (value - means[j])) / sds[j]), 0);
  const place = (values) => [along(first, values), along(second, values)];
  const onto = ({ numbers, n }) => {
    const given = columns.map((column) => numbers.get(column.number - 1));
    const xs = new Float64Array(n);
    const ys = new Float64Array(n);
    for (let i = 0; i < n; i += 1) [xs[i], ys[i]] = place(given.map((list) => list[i]));
    return { xs, ys };
  };
  return { onto, place };
}

const SAMPLE = 20_000; // rows that the axes are found from

function covarianceOf(lists, means, sds) {
  const n = lists[0].length;
  const step = Math.max(1, Math.floor(n / SAMPLE));
  const z = lists.map((list, j) => {
    const taken = [];
    for (let i = 0; i < n; i += step) taken.push(Number.isNaN(list[i]) ? 0 : (list[i] - means[j]) / sds[j]);
    return taken;
  });
  return z.map((a) => z.map((b) => a.reduce((sum, value, i) => sum + value * b[i], 0) / a.length));
}

/** The leading eigenvector of a symmetric matrix, by power iteration. */
function leading(matrix) {
  let vector = matrix.map((_, j) => 1 + j / 1000);
  for (let round = 0; round < 200; round += 1) {
    const next = matrix.map((row) => row.reduce((sum, value, j) => sum + value * vector[j], 0));
    const length = Math.hypot(...next) || 1;
    vector = next.map((value) => value / length);
  }
  return vector;
}

function deflated(matrix, vector) {
  const image = matrix.map((row) => row.reduce((sum, value, j) => sum + value * vector[j], 0));
  const eigenvalue = image.reduce((sum, value, j) => sum + value * vector[j], 0);
  return matrix.map((row, i) => row.map((value, j) => value - eigenvalue * vector[i] * vector[j]));
}
