/** Touches on a clip: a tap, two taps, a long press. A swipe belongs to the scroller and cancels them. */

const DOUBLE = 260; // ms between the taps of a pair
const LONG = 520;
const SLACK = 12; // px that a finger may tremble

/**
 * @param {HTMLElement} area
 * @param {{tap: () => void, twice: (x: number, y: number) => void, held: () => void}} acts
 */
export function gestures(area, { tap, twice, held }) {
  let down = /** @type {{x: number, y: number}|null} */ (null);
  let single = 0;
  let long = 0;
  const cancel = () => {
    down = null;
    clearTimeout(long);
  };

  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    down = { x: event.clientX, y: event.clientY };
    clearTimeout(long);
    long = window.setTimeout(() => {
      if (!down) return;
      cancel();
      held();
    }, LONG);
  });
  area.addEventListener("pointermove", (event) => {
    if (down && Math.hypot(event.clientX - down.x, event.clientY - down.y) > SLACK) cancel();
  });
  area.addEventListener("pointercancel", cancel);
  area.addEventListener("pointerleave", cancel);
  area.addEventListener("contextmenu", (event) => event.preventDefault());
  area.addEventListener("pointerup", (event) => {
    if (!down) return;
    cancel();
    if (single) {
      clearTimeout(single);
      single = 0;
      twice(event.clientX, event.clientY);
    } else {
      single = window.setTimeout(() => {
        single = 0;
        tap();
      }, DOUBLE);
    }
  });
}
