/**
 * A picture that leads to a clip moves while one looks at it: whatever has `data-preview` around its poster. Under
 * a mouse or the keyboard's focus for as long as that lasts; on a touch screen once, when the page has come to
 * rest with it in the middle. One at a time, without sound; never when the viewer saves data or wants no motion.
 */

import { calm, el } from "./dom.js";
import { saving } from "./saver.js";

const HOVER = 300; // ms
const REST = 1000;

let timer = 0; // until it plays
let resting = 0; // until the page has come to rest
let at = /** @type {Element|null} */ (null); // what is looked at
let now = /** @type {HTMLVideoElement|null} */ (null); // what plays in it

const wanted = () => !calm() && !saving();
const touched = matchMedia("(hover: none)");

/** @param {EventTarget|null} target @returns {Element|null} */
const place = (target) => (target instanceof Element ? target.closest("[data-preview]") : null);

function stop() {
  clearTimeout(timer);
  at = null;
  if (!now) return;
  now.removeAttribute("src");
  now.load(); // lets go of its bytes and of the decoder
  now.remove();
  now = null;
}

/** @param {Element} where @param {boolean} over and over */
function play(where, over) {
  const poster = where.querySelector("img");
  if (!poster || !where.isConnected) return;
  const src = /** @type {HTMLElement} */ (where).dataset.preview;
  const video = el("video", { class: "moving", playsinline: true, disablepictureinpicture: true, tabindex: -1, "aria-hidden": "true" });
  video.muted = true;
  video.loop = over;
  const end = () => now === video && stop();
  const shown = () => video.classList.add("shown"); // the poster stays until there is a frame
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(shown);
  else /** @type {any} */ (video).addEventListener("playing", shown, { once: true });
  video.addEventListener("ended", end);
  video.addEventListener("error", end);
  video.src = src ?? "";
  now = video;
  poster.after(video);
  video.play().catch(end);
}

/** @param {Element|null} where @param {number} wait @param {boolean} over */
function soon(where, wait, over) {
  if (where === at) return;
  stop();
  at = where;
  if (where && wanted()) timer = window.setTimeout(() => play(where, over), wait);
}

/** On a touch screen: what stands in the middle, once nothing has moved or come for a second. */
export function settle() {
  if (!touched.matches) return;
  clearTimeout(resting);
  resting = window.setTimeout(() => {
    soon(place(document.elementFromPoint(innerWidth / 2, innerHeight / 2)), 0, false);
  }, REST);
}

/** A picture whose preview came while it was looked at already. @param {Element} where */
export function arrived(where) {
  if (touched.matches ? where.matches(":focus-visible") : where.matches(":hover, :focus-visible")) soon(where, HOVER, true);
}

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "mouse") soon(place(event.target), HOVER, true);
});
document.documentElement.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && stop());
document.addEventListener("focusin", ({ target }) => {
  if (target instanceof Element && target.matches(":focus-visible")) soon(place(target), HOVER, true);
});
document.addEventListener("focusout", ({ target }) => place(target) && soon(null, 0, false));
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : settle()));
addEventListener("scroll", settle, { passive: true });
addEventListener("pagehide", stop);
settle();
