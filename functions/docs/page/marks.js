// A cluster's sign: a colour and a shape. The twelve colours are the report's, of each theme; style.css has
// them, told apart by the colour-blind too; and no neighbours have one shape.
import { svg } from "./lit-html.js";

const COLOURS = 12;
export const SHAPES = ["circle", "triangle", "square", "diamond", "cross", "down", "star"];

/** The colours of the theme that is shown. */
export function coloursOf(element) {
  const style = getComputedStyle(element);
  const colours = Array.from({ length: COLOURS }, (_, index) => style.getPropertyValue(`--k${index}`).trim());
  return (cluster) => colours[cluster % COLOURS];
}
export const shapeOf = (cluster) => SHAPES[cluster % SHAPES.length];

/** Corners of a shape in a circle of radius 1, or null for the circle itself. */
const CORNERS = {
  circle: null,
  triangle: regular(3, -90),
  square: regular(4, 45),
  diamond: regular(4, 0),
  down: regular(3, 90),
  cross: [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]],
  star: regular(10, -90).map(([x, y], i) => (i % 2 ? [x * 0.5, y * 0.5] : [x, y])),
};

function regular(corners, degrees) {
  return Array.from({ length: corners }, (_, i) => {
    const angle = ((degrees + (360 * i) / corners) * Math.PI) / 180;
    return [Math.cos(angle) * 1.12, Math.sin(angle) * 1.12];
  });
}

/** Draws the outline of a shape as a path of a canvas. */
export function trace(context, shape, x, y, radius) {
  context.beginPath();
  const corners = CORNERS[shape];
  if (!corners) context.arc(x, y, radius, 0, 2 * Math.PI);
  else for (const [dx, dy] of corners) context.lineTo(x + dx * radius, y + dy * radius);
  context.closePath();
}

/** The sign beside a cluster's name. */
export function sign(cluster) {
  const corners = CORNERS[shapeOf(cluster)];
  const points = corners?.map(([x, y]) => `${8 + x * 6},${8 + y * 6}`).join(" ");
  const shape = corners
    ? svg`<polygon points=${points} class=${`k${cluster % COLOURS}`}></polygon>`
    : svg`<circle cx="8" cy="8" r="6" class=${`k${cluster % COLOURS}`}></circle>`;
  return svg`<svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${shape}</svg>`;
}
