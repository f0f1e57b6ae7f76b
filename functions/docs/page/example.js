// Customers of a shop that does not exist: five kinds of them, drawn anew each time from the same seed.
const KINDS = [
  { n: 60, age: [43, 9], income: [55, 8], spending: [50, 7] },
  { n: 45, age: [32, 4], income: [87, 10], spending: [82, 7] },
  { n: 45, age: [41, 10], income: [88, 11], spending: [17, 8] },
  { n: 45, age: [25, 4], income: [26, 6], spending: [79, 8] },
  { n: 45, age: [47, 11], income: [27, 7], spending: [20, 9] },
];

/** Marsaglia's xorshift, 32 bits: the same customers everywhere. */
function generator(state) {
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function customers() {
  const random = generator(20);
  const normal = ([mean, sd]) => mean + sd * (random() + random() + random() + random() - 2) * Math.sqrt(3);
  const within = (value, least, most) => Math.round(Math.min(most, Math.max(least, value)));
  const rows = KINDS.flatMap(({ n, age, income, spending }) =>
    Array.from({ length: n }, () => [
      random() < 0.5 ? "Female" : "Male",
      within(normal(age), 18, 75),
      within(normal(income), 10, 130),
      within(normal(spending), 1, 100),
      random(),
    ]),
  );
  rows.sort((a, b) => a[4] - b[4]);
  const lines = rows.map((row, index) => [1001 + index, ...row.slice(0, 4)].join(","));
  return ["CustomerID,Gender,Age,Annual income (k$),Spending score", ...lines, ""].join("\n");
}
