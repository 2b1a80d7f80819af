/** A grid of clips that grows as one scrolls to its end. */

import { get } from "./api.js";
import { el, icon } from "./dom.js";
import { settle } from "./peek.js";
import { compact, t } from "./words.js";

/** @param {any} card @param {string} [suffix] of the address, as "?in=author" */
export function tile(card, suffix = "") {
  const ready = card.state === undefined || card.state === "playable" || card.state === "complete";
  settle(); // another may stand in the middle now
  return el(
    "a",
    { class: "tile", href: `/v/${card.id}${suffix}`, "data-preview": card.preview || null },
    card.poster && ready ? el("img", { src: card.poster, alt: "", loading: "lazy", decoding: "async" }) : null,
    card.visibility && card.visibility !== "public"
      ? el("span", { class: "tile-mark" }, icon(card.visibility === "private" ? "lock" : "people"))
      : null,
    el(
      "span",
      { class: "tile-words" },
      el("span", { class: "tile-caption", dir: "auto", lang: card.language || null }, card.caption || t("untitled")),
      card.counts
        ? el("span", { class: "tile-count" }, icon("play"), el("span", { class: "unseen" }, `${t("views")} `), compact(card.counts.views))
        : null,
    ),
  );
}

/**
 * Fills a grid from a list of the API, page after page.
 * @param {HTMLElement} grid
 * @param {string} path of the list
 * @param {{suffix?: string, empty: HTMLElement, start?: string|null, make?: (item: any) => HTMLElement}} how
 */
export function fill(grid, path, { suffix = "", empty, start, make }) {
  let cursor = start === undefined ? "" : start;
  let busy = false;
  const foot = el("div", { class: "row" });
  grid.after(foot);

  async function more() {
    if (busy || cursor === null) return;
    busy = true;
    foot.replaceChildren();
    try {
      const join = path.includes("?") ? "&" : "?";
      const page = await get(cursor ? `${path}${join}cursor=${encodeURIComponent(cursor)}` : path);
      grid.append(...page.items.map((/** @type {any} */ item) => (make ? make(item) : tile(item, suffix))));
      cursor = page.next ?? null;
      empty.hidden = grid.childElementCount > 0;
    } catch (problem) {
      foot.replaceChildren(
        el("p", { class: "error" }, /** @type {Error} */ (problem).message),
        el("button", { type: "button", class: "button", on: { click: more } }, icon("retry"), t("try_again")),
      );
    } finally {
      busy = false;
    }
    if (cursor !== null && near()) more();
  }
  const near = () => foot.getBoundingClientRect().top < innerHeight * 2;
  new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && more(), {
    rootMargin: "800px",
  }).observe(foot);
  more();
}
