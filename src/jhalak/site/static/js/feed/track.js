/**
 * The thin line at the foot of a clip: where it is, and, dragged or by arrow keys, where it goes. Where a finger
 * or a mouse is on it stands a small picture of that moment, cut from the clip's storyboard.
 */

import { clock } from "../lib/words.js";

const GLANCE = 1200; // ms that the picture stands after an arrow key

/** @typedef {{src: string, width: number, height: number, columns: number, cells: number, step_ms: number}} Board */

/**
 * @param {HTMLElement} track role=slider
 * @param {HTMLVideoElement} video
 * @param {() => Board|null|undefined} board of the clip that the video plays now; fetched when it is looked at
 */
export function trackLine(track, video, board) {
  const cell = /** @type {HTMLElement} */ (track.querySelector(".track-cell"));
  const time = /** @type {HTMLElement} */ (track.querySelector(".track-time"));
  let held = false;
  let over = false;
  let played = false;
  let said = "";
  let glance = 0;

  const show = (/** @type {number} */ part) => {
    track.style.setProperty("--done", String(part));
    const text = `${clock(video.currentTime)} / ${clock(video.duration || 0)}`;
    if (text === said) return; // a screen reader is told once a second, not by every frame
    said = text;
    track.setAttribute("aria-valuenow", String(Math.round(part * 100)));
    track.setAttribute("aria-valuetext", text);
  };
  const draw = () => {
    if (!held) show(video.duration ? video.currentTime / video.duration : 0);
  };

  const look = (/** @type {number} */ part) => {
    clearTimeout(glance);
    const moments = board();
    cell.hidden = !moments;
    if (moments) picture(cell, moments, part * video.duration * 1000);
    track.style.setProperty("--look", String(part));
    track.style.setProperty("--broad", `${moments?.width ?? 0}px`);
    time.textContent = `${clock(part * video.duration)} / ${clock(video.duration)}`;
    track.classList.add("looked");
  };
  const away = () => {
    clearTimeout(glance);
    if (!held && !over) track.classList.remove("looked");
  };

  /** Where on the line, 0 to 1. */
  const place = (/** @type {PointerEvent} */ event) => {
    const box = track.getBoundingClientRect();
    const from = getComputedStyle(track).direction === "rtl" ? box.right - event.clientX : event.clientX - box.left;
    return Math.min(1, Math.max(0, from / box.width));
  };
  const seek = (/** @type {PointerEvent} */ event) => {
    if (!Number.isFinite(video.duration)) return;
    const part = place(event);
    video.currentTime = part * Math.max(0, video.duration - 0.05);
    look(part);
    show(part);
  };

  // timeupdate comes four times a second; between, the line is moved by frames so that it glides.
  let frame = 0;
  const glide = () => {
    draw();
    frame = video.paused ? 0 : requestAnimationFrame(glide);
  };
  video.addEventListener("playing", () => {
    if (!frame) frame = requestAnimationFrame(glide);
  });
  video.addEventListener("timeupdate", draw);
  video.addEventListener("emptied", () => {
    show(0);
    over = false;
    away();
    cell.style.removeProperty("background-image"); // what comes may be another clip
  });

  track.addEventListener("pointerdown", (event) => {
    held = true;
    played = !video.paused;
    track.classList.add("held");
    track.setPointerCapture(event.pointerId);
    video.pause();
    seek(event);
  });
  track.addEventListener("pointermove", (event) => {
    if (held) return seek(event);
    if (event.pointerType !== "mouse" || !Number.isFinite(video.duration)) return;
    over = true;
    look(place(event));
  });
  track.addEventListener("pointerleave", () => {
    over = false;
    away();
  });
  const release = () => {
    if (!held) return;
    held = false;
    track.classList.remove("held");
    away();
    if (played && !track.closest("[inert]")) video.play().catch(() => {}); // not when left meanwhile
  };
  track.addEventListener("pointerup", release);
  track.addEventListener("pointercancel", release);
  track.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !Number.isFinite(video.duration)) return;
    event.preventDefault();
    const way = getComputedStyle(track).direction === "rtl" && Number.isFinite(step) ? -step : step;
    video.currentTime = Math.min(video.duration - 0.05, Math.max(0, video.currentTime + way));
    draw();
    look(video.currentTime / video.duration);
    glance = window.setTimeout(away, GLANCE);
  });
}

/** Shows in `cell` what stands in the clip at `ms`. @param {HTMLElement} cell @param {Board} board @param {number} ms */
function picture(cell, { src, width, height, columns, cells, step_ms }, ms) {
  const at = Math.min(cells - 1, Math.floor(ms / step_ms));
  cell.style.inlineSize = `${width}px`;
  cell.style.blockSize = `${height}px`;
  cell.style.backgroundImage = `url("${src}")`;
  cell.style.backgroundPosition = `${-(at % columns) * width}px ${-Math.floor(at / columns) * height}px`;
}
