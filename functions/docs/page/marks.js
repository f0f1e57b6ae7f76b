// A cluster's sign: a colour and a shape. Six colours that the colour-blind tell apart (Okabe and Ito),
// six more for clusters 6 to 11, and a shape that differs between neighbours.
import { svg } from "./lit-html.js";

const COLOURS = [
  "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9",
  "#7b4fb5", "#9a9a00", "#7d3c1d", "#00a5a8", "#e0457b", "#7f8c8d",
];
export const SHAPES = ["circle", "triangle", "square", "diamond", "cross", "down", "star"];

export const colourOf = (cluster) => COLOURS[cluster % COLOURS.length];
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
    ? svg`<polygon points=${points} fill=${colourOf(cluster)}></polygon>`
    : svg`<circle cx="8" cy="8" r="6" fill=${colourOf(cluster)}></circle>`;
  return svg`<svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${shape}</svg>`;
}
