// What moves the picture: mouse, fingers and keys.

export function listen(picture) {
  const { canvas } = picture;
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener("pointerleave", () => !fingers.size && picture.scene && picture.at(null));
  canvas.addEventListener("pointermove", (event) => picture.scene && moved(picture, event, fingers));
  canvas.addEventListener("wheel", (event) => wheel(picture, event), { passive: false });
  canvas.addEventListener("keydown", (event) => picture.scene && key(picture, event));
}

/** The page scrolls over a picture that nobody has taken hold of. */
function wheel(picture, event) {
  if (!picture.scene || !(event.ctrlKey || document.activeElement === picture.canvas)) return;
  event.preventDefault();
  picture.zoomAt(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
}

function moved(picture, event, fingers) {
  const before = fingers.get(event.pointerId);
  if (!before) return picture.at(picture.nearest(event.offsetX, event.offsetY));
  const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
  if (other) {
    const apart = (one) => Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY) || 1;
    const middle = [(event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2];
    picture.zoomAt(apart(event) / apart(before), ...middle);
  } else {
    picture.pan(event.offsetX - before.offsetX, event.offsetY - before.offsetY);
  }
  fingers.set(event.pointerId, event);
}

const KEYS = {
  ArrowLeft: (picture) => picture.step(-1, 0),
  ArrowRight: (picture) => picture.step(1, 0),
  ArrowUp: (picture) => picture.step(0, -1),
  ArrowDown: (picture) => picture.step(0, 1),
  "+": (picture) => picture.zoomBy(1.5),
  "-": (picture) => picture.zoomBy(1 / 1.5),
  0: (picture) => picture.whole(),
  Escape: (picture) => picture.at(null),
};

function key(picture, event) {
  if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  KEYS[event.key](picture);
}
