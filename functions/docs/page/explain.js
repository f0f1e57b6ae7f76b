// What the service makes of a fit when it is asked: what each cluster is, and a sample of the rows.
import { made } from "./service.js";
import { changed, state } from "./state.js";

/** Sentences, rules and differences; they come when they are there, and the picture does not wait. */
export async function askClusters(id, fit) {
  try {
    const answer = await (await made(`jobs/${id}/clusters`)).json();
    if (state.fit === fit) changed({ clusters: answer });
  } catch (error) {
    if (state.fit === fit) changed({ clusters: { clusters: [], notes: [error.message] } });
  }
}

/** At most 5,000 rows of a file that is too large for the browser. */
export async function askSample(id) {
  const { axes, points, centers, note } = await (await made(`jobs/${id}/projection`)).json();
  changed({
    sample: {
      xs: Float64Array.from(points, (point) => point.x),
      ys: Float64Array.from(points, (point) => point.y),
      labels: Int32Array.from(points, (point) => point.label),
      lines: points.map((point) => point.line),
      centers: centers.map((center) => [center.x, center.y]),
      xName: axes[0].text,
      yName: axes[1]?.text ?? "",
      note,
    },
  });
}
