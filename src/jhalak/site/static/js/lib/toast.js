/** Short notes at the bottom that leave by themselves. One at a time: the newest is what matters. */

import { el, find } from "./dom.js";

let timer = 0;

/**
 * @param {string} text
 * @param {{label: string, act: () => void}} [offer] a button, as "Undo"
 */
export function toast(text, offer) {
  const place = find("#toasts");
  clearTimeout(timer);
  const close = () => place.replaceChildren();
  const note = el("div", { class: "toast dark" }, el("p", {}, text));
  if (offer) {
    const button = el("button", { type: "button", class: "button" }, offer.label);
    button.addEventListener("click", () => {
      close();
      find("#main").focus({ preventScroll: true }); // the button that had it is gone
      offer.act();
    });
    note.append(button);
  }
  place.replaceChildren(note);
  const linger = () => {
    clearTimeout(timer);
    timer = window.setTimeout(close, offer ? 7000 : 4000);
  };
  note.addEventListener("pointerenter", () => clearTimeout(timer));
  note.addEventListener("pointerleave", linger);
  note.addEventListener("focusin", () => clearTimeout(timer));
  note.addEventListener("focusout", linger);
  linger();
}
