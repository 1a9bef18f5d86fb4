/** Where a popover stands: below its button, above it where below is no room, never outside of the window. */
const GAP = 4, EDGE = 8;

/** Keeps `box` at `button` while it grows, because what it shows may be fetched after it opened. Returns the undo, as an effect wants it. */
export function float(button: HTMLElement, box: HTMLElement) {
  const place = () => {
    const at = button.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = box;
    const below = at.bottom + GAP;
    box.style.left = `${Math.max(EDGE, Math.min(at.left, innerWidth - width - EDGE))}px`;
    box.style.top = `${below + height + EDGE <= innerHeight ? below : Math.max(EDGE, Math.min(innerHeight - height - EDGE, at.top - height - GAP))}px`;
  };
  place();
  const watch = new ResizeObserver(place);
  watch.observe(box);
  return () => watch.disconnect();
}
