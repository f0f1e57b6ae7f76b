// Points as pixels: written into an image by hand, which draws 100,000 of them within a frame on any machine.
import { shapeOf, trace } from "./marks.js";

/** A shape of a colour as the pixels it covers: offsets, and how much of each, 0 to 255. */
function stampOf(shape, radius) {
  const size = 2 * Math.ceil(radius * 1.2) + 3;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  trace(context, shape, size / 2, size / 2, radius);
  context.fill();
  const { data } = context.getImageData(0, 0, size, size);
  const pixels = [];
  const middle = (size - 1) / 2;
  for (let i = 3; i < data.length; i += 4) {
    const at = (i - 3) / 4;
    if (data[i] > 20) pixels.push((at % size) - middle, Math.floor(at / size) - middle, data[i]);
  }
  return Int32Array.from(pixels);
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

export class Raster {
  constructor() {
    this.stamps = new Map();
  }

  resize(width, height) {
    if (this.image?.width === width && this.image.height === height) return;
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  clear() {
    this.pixels.fill(0);
  }

  stamp(shape, radius) {
    const name = `${shape} ${radius}`;
    if (!this.stamps.has(name)) this.stamps.set(name, stampOf(shape, radius));
    return this.stamps.get(name);
  }

  /**
   * Draws points in the order of the rows, so that no cluster hides another.
   * order      the rows that are drawn, or null for all
   * clusters   how many there are; the points of those that `faded` names are drawn lightly
   */
  points({ xs, ys, labels, order, view, radius, clusters, colourOf, faded, opacity }) {
    const { width, height } = this.image;
    const stamps = Array.from({ length: clusters }, (_, c) => this.stamp(shapeOf(c), radius));
    const colours = Array.from({ length: clusters }, (_, c) => rgb(colourOf(c)));
    const edge = radius * 2;
    for (let j = 0; j < (order ?? xs).length; j += 1) {
      const i = order ? order[j] : j;
      const cluster = labels[i];
      const x = Math.round(view.left + xs[i] * view.scaleX);
      const y = Math.round(view.top - ys[i] * view.scaleY);
      // A missing cell is NaN, which is in no range.
      if (cluster < 0 || !(x > -edge && x < width + edge && y > -edge && y < height + edge)) continue;
      this.put(stamps[cluster], colours[cluster], x, y, faded(cluster) ? opacity * 0.12 : opacity);
    }
  }

  put(stamp, [red, green, blue], x, y, opacity) {
    const { width, height } = this.image;
    const { pixels } = this;
    for (let j = 0; j < stamp.length; j += 3) {
      const px = x + stamp[j];
      const py = y + stamp[j + 1];
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const at = py * width + px;
      const a = stamp[j + 2] * opacity;
      const under = pixels[at];
      if (a >= 254 || under === 0) {
        pixels[at] = ((a << 24) | (blue << 16) | (green << 8) | red) >>> 0;
        continue;
      }
      const share = a / 255;
      const rest = 1 - share;
      const alpha = Math.min(255, a + (under >>> 24) * rest);
      const r = red * share + (under & 255) * rest;
      const g = green * share + ((under >> 8) & 255) * rest;
      const b = blue * share + ((under >> 16) & 255) * rest;
      pixels[at] = ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
    }
  }
}
