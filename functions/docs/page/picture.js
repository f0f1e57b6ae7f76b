// The picture: points of each cluster, centers, two axes; moved by mouse, touch and keys.
import { drawGrid, MARGIN } from "./grid.js";
import { listen } from "./hands.js";
import { coloursOf, shapeOf, trace } from "./marks.js";
import { Raster } from "./raster.js";

const REACH = 18; // pixels within which a point is found
export const MOST_RINGS = 5_000; // of a second file
const MOST_ZOOM = 2000;

/** From least to largest of finite numbers, with some room. */
function rangeOf(lists) {
  let least = Infinity;
  let largest = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (value < least) least = value;
      if (value > largest) largest = value;
    }
  }
  if (!(least <= largest)) return [0, 1];
  const room = (largest - least || Math.abs(least) || 1) * 0.04;
  return [least - room, largest + room];
}

export class Picture {
  /**
   * canvas    filled, and drawn anew where its size changes
   * onPoint   told the row that is pointed at, or null
   */
  constructor(canvas, onPoint) {
    this.canvas = canvas;
    this.onPoint = onPoint;
    this.raster = new Raster();
    this.layer = document.createElement("canvas");
    this.scene = null;
    this.point = null;
    new ResizeObserver(() => this.resized()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    listen(this);
  }

  /** {xs, ys, labels, order, centers, xName, yName, selected, more: {xs, ys, labels}}; keeps the zoom where the axes stay. */
  show(scene) {
    const same = this.scene?.xs === scene.xs && this.scene?.ys === scene.ys && this.scene?.more?.xs === scene.more?.xs;
    this.scene = scene;
    if (!same) this.whole();
    this.draw();
  }

  whole() {
    const { xs, ys, centers, more } = this.scene;
    const [x, y] = [0, 1].map((axis) => centers.map((center) => center[axis]));
    this.xRange = rangeOf([xs, x, more?.xs ?? []]);
    this.yRange = rangeOf([ys, y, more?.ys ?? []]);
    this.full = this.xRange[1] - this.xRange[0];
    this.draw();
  }

  resized() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const { width, height } = this.canvas.getBoundingClientRect();
    if (!width || !height) return;
    this.ratio = ratio;
    this.canvas.width = this.layer.width = Math.round(width * ratio);
    this.canvas.height = this.layer.height = Math.round(height * ratio);
    this.raster.resize(this.canvas.width, this.canvas.height);
    this.render();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.render();
    });
  }

  /** How numbers become pixels of the canvas. */
  get view() {
    const { ratio, canvas } = this;
    const inner = canvas.width - (MARGIN.left + MARGIN.right) * ratio;
    const high = canvas.height - (MARGIN.top + MARGIN.bottom) * ratio;
    const scaleX = inner / (this.xRange[1] - this.xRange[0]);
    const scaleY = high / (this.yRange[1] - this.yRange[0]);
    return {
      scaleX,
      scaleY,
      left: MARGIN.left * ratio - this.xRange[0] * scaleX,
      top: canvas.height - MARGIN.bottom * ratio + this.yRange[0] * scaleY,
    };
  }

  get zoom() {
    return this.full / (this.xRange[1] - this.xRange[0]);
  }

  radius(n) {
    const base = n > 20_000 ? 1.5 : n > 3_000 ? 2.2 : n > 500 ? 3.2 : 4.5;
    return Math.round(Math.min(6, base * Math.sqrt(this.zoom) ** 0.7) * this.ratio * 2) / 2;
  }

  render() {
    if (!this.scene || !this.ratio) return;
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    this.ink = style.color;
    this.colourOf = coloursOf(this.canvas);
    this.paper = style.getPropertyValue("--paper").trim() || "#fff";
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    drawGrid(this, context);
    this.clipped(context, () => {
      this.drawPoints(context);
      this.drawOutliers(context);
      this.drawMore(context);
      this.drawCenters(context);
      this.drawPoint(context);
    });
  }

  clipped(context, drawing) {
    const r = this.ratio;
    context.save();
    context.beginPath();
    context.rect(MARGIN.left * r, 0, this.canvas.width - MARGIN.left * r, this.canvas.height - MARGIN.bottom * r);
    context.clip();
    drawing();
    context.restore();
  }

  drawPoints(context) {
    const { xs, ys, labels, order, centers, selected } = this.scene;
    this.raster.clear();
    this.raster.points({
      xs, ys, labels, order,
      view: this.view,
      radius: this.radius((order ?? xs).length),
      colourOf: this.colourOf,
      clusters: centers.length,
      faded: (cluster) => selected !== null && cluster !== selected,
      opacity: xs.length > 3_000 ? 0.7 : 0.85,
    });
    this.layer.getContext("2d").putImageData(this.raster.image, 0, 0);
    context.drawImage(this.layer, 0, 0);
  }

  drawOutliers(context) {
    const { xs, ys, labels, outliers, selected } = this.scene;
    if (!outliers) return;
    const { left, top, scaleX, scaleY } = this.view;
    const radius = this.radius(xs.length) + 2.5 * this.ratio;
    context.lineWidth = this.ratio;
    context.strokeStyle = this.ink;
    context.beginPath();
    for (let i = 0; i < xs.length; i += 1) {
      if (outliers[i] !== 1 || (selected !== null && labels[i] !== selected) || Number.isNaN(xs[i] + ys[i])) continue;
      const [x, y] = [left + xs[i] * scaleX, top - ys[i] * scaleY];
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.stroke();
  }

  /** A second file's points: rings in the colour of their cluster. */
  drawMore(context) {
    const { more } = this.scene;
    if (!more) return;
    const { left, top, scaleX, scaleY } = this.view;
    const radius = this.radius(Math.min(more.xs.length, MOST_RINGS)) + 2 * this.ratio;
    context.lineWidth = 1.75 * this.ratio;
    const step = Math.max(1, more.xs.length / MOST_RINGS);
    for (let at = 0; at < more.xs.length; at += step) {
      const i = Math.floor(at);
      if (more.labels[i] < 0 || Number.isNaN(more.xs[i] + more.ys[i])) continue;
      context.strokeStyle = this.colourOf(more.labels[i]);
      trace(context, shapeOf(more.labels[i]), left + more.xs[i] * scaleX, top - more.ys[i] * scaleY, radius);
      context.stroke();
    }
  }

  drawCenters(context) {
    const { left, top, scaleX, scaleY } = this.view;
    this.scene.centers.forEach(([x, y], cluster) => {
      context.globalAlpha = this.scene.selected === null || this.scene.selected === cluster ? 1 : 0.25;
      trace(context, shapeOf(cluster), left + x * scaleX, top - y * scaleY, 9 * this.ratio);
      context.fillStyle = this.colourOf(cluster);
      context.fill();
      context.lineWidth = 4 * this.ratio;
      context.strokeStyle = this.paper;
      context.stroke();
      context.lineWidth = 1.75 * this.ratio;
      context.strokeStyle = this.ink;
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  drawPoint(context) {
    if (this.point === null) return;
    const { left, top, scaleX, scaleY } = this.view;
    const { xs, ys } = this.scene;
    context.beginPath();
    context.arc(left + xs[this.point] * scaleX, top - ys[this.point] * scaleY, 9 * this.ratio, 0, 2 * Math.PI);
    context.lineWidth = 2.5 * this.ratio;
    context.strokeStyle = this.ink;
    context.stroke();
  }

  // --- moving -------------------------------------------------------------------

  /** Zooms by a factor about a place of the canvas, in pixels of the page. */
  zoomAt(factor, x, y) {
    if (this.zoom * factor > MOST_ZOOM || this.zoom * factor < 0.2) return;
    const { left, top, scaleX, scaleY } = this.view;
    const atX = (x * this.ratio - left) / scaleX;
    const atY = (top - y * this.ratio) / scaleY;
    this.xRange = this.xRange.map((end) => atX + (end - atX) / factor);
    this.yRange = this.yRange.map((end) => atY + (end - atY) / factor);
    this.draw();
  }

  zoomBy(factor) {
    this.zoomAt(factor, this.canvas.width / this.ratio / 2, this.canvas.height / this.ratio / 2);
  }

  pan(dx, dy) {
    const { scaleX, scaleY } = this.view;
    this.xRange = this.xRange.map((end) => end - (dx * this.ratio) / scaleX);
    this.yRange = this.yRange.map((end) => end + (dy * this.ratio) / scaleY);
    this.draw();
  }

  /** The row nearest to a place, in pixels of the page, or null. */
  nearest(x, y, reach = REACH, ahead = () => true) {
    const { left, top, scaleX, scaleY } = this.view;
    const { xs, ys, labels, order } = this.scene;
    let best = (reach * this.ratio) ** 2;
    let found = null;
    for (let j = 0; j < (order ?? xs).length; j += 1) {
      const i = order ? order[j] : j;
      const dx = left + xs[i] * scaleX - x * this.ratio;
      const dy = top - ys[i] * scaleY - y * this.ratio;
      const distance = dx * dx + dy * dy;
      if (distance < best && labels[i] >= 0 && ahead(dx, dy)) [best, found] = [distance, i];
    }
    return found;
  }

  isRight(point) {
    const { left, scaleX } = this.view;
    return left + this.scene.xs[point] * scaleX > this.canvas.width / 2;
  }

  at(point) {
    if (point === this.point) return;
    this.point = point;
    this.draw();
    this.onPoint(point);
  }

  /** To the next point in a direction, for keys. */
  step(dx, dy) {
    const { left, top, scaleX, scaleY } = this.view;
    const { xs, ys } = this.scene;
    const middle = [this.canvas.width / this.ratio / 2, this.canvas.height / this.ratio / 2];
    if (this.point === null) return this.at(this.nearest(...middle, Infinity));
    const from = [(left + xs[this.point] * scaleX) / this.ratio, (top - ys[this.point] * scaleY) / this.ratio];
    const ahead = (ex, ey) => ex * dx + ey * dy > 0.5 && ex * dx + ey * dy >= Math.abs(ex * dy) + Math.abs(ey * dx);
    const next = this.nearest(...from, Infinity, ahead);
    if (next !== null) this.at(next);
  }
}
