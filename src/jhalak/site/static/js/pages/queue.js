/** The operator's queue: kept fresh, walked with the keyboard, each act asked for once. */

import { call } from "../lib/api.js";
import { announce, find } from "../lib/dom.js";
import { confirm } from "../lib/sheet.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

const EVERY = 3000;
const SOON = 300;
const box = find("#queue");
const trouble = find("#trouble");
let timer = 0;
let pressed = false; // a button that is put away under a finger would lose its click

/** The page again, its tables put in place of these; focus stays where it was. */
async function look() {
  clearTimeout(timer);
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(t("server_trouble"));
    if (pressed) {
      timer = window.setTimeout(look, SOON);
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const at = /** @type {HTMLElement|null} */ (document.activeElement);
    const id = box.contains(at) ? at?.closest("tr")?.dataset.id : undefined;
    const act = at?.dataset.act;
    const pushed = [...box.querySelectorAll(".wide-box")].map((one) => one.scrollLeft);
    box.replaceChildren(...find("#queue", fresh).childNodes);
    box.querySelectorAll(".wide-box").forEach((one, place) => (one.scrollLeft = pushed[place] ?? 0));
    if (id) {
      const row = rowOf(id);
      (act ? /** @type {HTMLElement|null|undefined} */ (row?.querySelector("[data-act]")) : row)?.focus({ preventScroll: true });
    }
    trouble.textContent = "";
    find("#fresh").textContent = t("queue_fresh", { time: new Date().toLocaleTimeString(document.documentElement.lang) });
  } catch (problem) {
    trouble.textContent = problem instanceof TypeError ? t("unreachable") : /** @type {Error} */ (problem).message;
  }
  timer = window.setTimeout(look, EVERY);
}

/** @param {string} id */
const rowOf = (id) => /** @type {HTMLElement|null} */ (box.querySelector(`tr[data-id="${CSS.escape(id)}"]`));

/** @param {HTMLElement} row @param {string} what */
async function act(row, what) {
  const button = row.querySelector(`[data-act="${what}"]`);
  const id = row.dataset.id;
  if (!button || !id) return;
  const name = row.querySelector("th")?.textContent?.trim() ?? "";
  if (what === "remove" && !(await confirm(t("remove_runner_title"), t("remove_runner_text", { name }), t("remove_runner_yes")))) return;
  if (what === "cancel" && !(await confirm(t("cancel_job_title"), t("cancel_job_text", { name }), t("cancel_job_yes")))) return;
  try {
    if (what === "remove") await call("DELETE", `/operator/runners/${encodeURIComponent(row.dataset.name ?? "")}`);
    else await call("POST", `/operator/jobs/${id}/${what}`, what === "cancel" ? { reason: t("cancel_job_reason") } : undefined);
    announce(t("changed"));
  } catch (problem) {
    toast(/** @type {Error} */ (problem).message);
  }
  await look();
}

box.addEventListener("pointerdown", () => (pressed = true));
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => setTimeout(() => (pressed = false))); // after the click
}

box.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-act]");
  const row = button?.closest("tr");
  if (row) act(row, /** @type {HTMLElement} */ (button).dataset.act ?? "");
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const rows = /** @type {HTMLElement[]} */ ([...box.querySelectorAll("tr[data-id]")]);
  const here = /** @type {HTMLElement|null|undefined} */ (document.activeElement?.closest("tr[data-id]"));
  const at = here ? rows.indexOf(here) : -1;
  if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
  else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
  else if (event.key === "r" && here) act(here, "retry");
  else if (event.key === "x" && here) act(here, here.dataset.name ? "remove" : "cancel");
  else return;
  event.preventDefault();
});

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
look();
