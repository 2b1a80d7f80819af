/** What one saved and what one liked. */

import { find } from "../lib/dom.js";
import { fill } from "../lib/tiles.js";

for (const grid of document.querySelectorAll("[data-list]")) {
  const { list = "" } = /** @type {HTMLElement} */ (grid).dataset;
  fill(/** @type {HTMLElement} */ (grid), list, { empty: find(".empty", grid.parentElement ?? document) });
}
