/** A sound: heard by itself, and the rest of its clips as one scrolls. */

import { seg } from "../lib/api.js";
import { find, icon } from "../lib/dom.js";
import { fill } from "../lib/tiles.js";
import { compact, t } from "../lib/words.js";

for (const count of document.querySelectorAll("[data-count]")) {
  count.textContent = compact(Number(/** @type {HTMLElement} */ (count).dataset.count));
}
const grid = find("#tiles");
if (grid.dataset.next) {
  fill(grid, `/sounds/${seg(grid.dataset.sound ?? "")}/videos`, { empty: find("#empty"), start: grid.dataset.next });
}

const audio = /** @type {HTMLAudioElement|null} */ (document.getElementById("sound"));
const button = document.getElementById("play");
if (audio && button) {
  button.hidden = false;
  const show = () => {
    button.replaceChildren(icon(audio.paused ? "play" : "pause"), audio.paused ? t("play") : t("pause"));
  };
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, show);
  button.addEventListener("click", () => {
    find("#play-error").textContent = "";
    if (!audio.paused) return audio.pause();
    audio.play().catch(() => {
      find("#play-error").textContent = t("sound_silent");
    });
  });
}
