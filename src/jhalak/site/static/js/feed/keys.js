/** The keyboard: every act of the feed has a key, and ? shows them. */

import { el } from "../lib/dom.js";
import { sheet } from "../lib/sheet.js";
import { t } from "../lib/words.js";

/** @type {[string[], string][]} keys as people see them, and the word for what they do */
const SHOWN = [
  [["↓", "J"], "key_next"],
  [["↑", "K"], "key_previous"],
  [["Space"], "key_pause"],
  [["M"], "key_sound"],
  [["L"], "key_like"],
  [["S"], "key_save"],
  [["F"], "key_follow"],
  [["N"], "key_not_interested"],
  [["C"], "key_captions"],
  [["W"], "key_why"],
  [["?"], "key_help"],
];

export function keySheet() {
  sheet(t("keys"), () => [
    el(
      "dl",
      { class: "keys" },
      ...SHOWN.flatMap(([keys, word]) => [
        el("dt", {}, ...keys.map((key) => el("kbd", {}, key === "Space" ? t("key_space") : key))),
        el("dd", {}, t(word)),
      ]),
    ),
  ]);
}

/** @param {Record<string, () => void>} acts by key; letters in lower case */
export function keys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    const onControl = target.closest("a, button, summary, [role=slider]");
    if (onControl && (event.key === " " || event.key === "Enter")) return;
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
