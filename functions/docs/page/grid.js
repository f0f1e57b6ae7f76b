// What stands around the picture: lines at round numbers, and the names of the two axes.
import { measure } from "./text.js";

export const MARGIN = { left: 56, right: 16, top: 16, bottom: 44 };

/** Round numbers that divide a range into about `parts`. */
function ticksOf(least, largest, parts) {
  const raw = (largest - least) / parts;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((times) => times * power >= raw) * power;
  const ticks = [];
  for (let i = Math.ceil(least / step); i * step <= largest && ticks.length < 50; i += 1) ticks.push(i * step);
  return ticks;
}

/** Lines, numbers and names of a picture's axes. */
export function drawGrid(picture, context) {
  const { ratio: r, canvas, ink, scene, xRange, yRange } = picture;
  const { left, top, scaleX, scaleY } = picture.view;
  const bottom = canvas.height - MARGIN.bottom * r;
  context.font = `${12 * r}px system-ui, sans-serif`;
  context.fillStyle = ink;
  context.strokeStyle = ink;
  context.lineWidth = r;
  const line = (x1, y1, x2, y2) => {
    context.globalAlpha = 0.12;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    context.globalAlpha = 0.8;
  };
  context.textAlign = "center";
  for (const tick of ticksOf(...xRange, Math.max(2, canvas.width / r / 110))) {
    const x = Math.round(left + tick * scaleX) + 0.5;
    line(x, MARGIN.top * r, x, bottom);
    context.fillText(measure(tick), x, bottom + 16 * r);
  }
  context.textAlign = "right";
  for (const tick of ticksOf(...yRange, Math.max(2, canvas.height / r / 70))) {
    const y = Math.round(top - tick * scaleY) + 0.5;
    line(MARGIN.left * r, y, canvas.width - MARGIN.right * r, y);
    context.fillText(measure(tick), (MARGIN.left - 8) * r, y + 4 * r);
  }
  context.globalAlpha = 1;
  context.font = `600 ${12 * r}px system-ui, sans-serif`;
  context.textAlign = "right";
  context.fillText(fitted(context, scene.xName, canvas.width / 2), canvas.width - MARGIN.right * r, canvas.height - 8 * r);
  context.save();
  context.translate(13 * r, MARGIN.top * r);
  context.rotate(-Math.PI / 2);
  context.fillText(fitted(context, scene.yName, canvas.height / 2), 0, 0);
  context.restore();
}

function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  while (text && context.measureText(`${text}…`).width > width) text = text.slice(0, -1);
  return `${text}…`;
}
