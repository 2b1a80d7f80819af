/** What the feed knows about you: each thing is taken out by itself, and says so. */

import { call } from "../lib/api.js";
import { announce, find } from "../lib/dom.js";
import { confirm } from "../lib/sheet.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

const oops = (/** @type {any} */ problem) => toast(problem.message || t("server_trouble"));

find("#main").addEventListener("click", async (event) => {
  const button = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-remove]"));
  const row = button?.closest("li");
  if (!button || !row || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await call("DELETE", `/feed/held/${button.dataset.remove}`);
  } catch (problem) {
    button.removeAttribute("aria-busy");
    return oops(problem);
  }
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const heading = row.closest("section")?.querySelector("h2");
  row.remove();
  (/** @type {HTMLElement|null|undefined} */ (next?.querySelector("[data-remove]")) ?? heading ?? find("#main")).focus({ preventScroll: true });
  announce(t("forgotten"));
});

/** A switch whose change is told to the server, and taken back where that fails. @param {string} id @param {(on: boolean) => Promise<any>} act */
function switched(id, act) {
  const box = /** @type {HTMLInputElement|null} */ (document.getElementById(id));
  box?.addEventListener("change", async () => {
    try {
      await act(box.checked);
    } catch (problem) {
      box.checked = !box.checked;
      oops(problem);
    }
  });
}

switched("paused", async (on) => {
  await call("PUT", "/feed/held/learning", { paused: on });
  toast(on ? t("learning_paused") : t("learning_resumed"));
});
switched("personal", async (on) => {
  const box = /** @type {HTMLInputElement} */ (find("#personal"));
  if (!on && !(await confirm(t("decline_title"), t("decline_text"), t("decline_yes")))) {
    box.checked = true;
    return;
  }
  await call("PATCH", "/me", { personal: on });
  location.reload();
});

/** @param {string} id @param {[string, string, string, string?]} words title, text, yes, no @param {() => Promise<any>} act */
function asked(id, words, act) {
  document.getElementById(id)?.addEventListener("click", async () => {
    if (!(await confirm(...words))) return;
    try {
      await act();
      location.reload();
    } catch (problem) {
      oops(problem);
    }
  });
}
asked("under-age", [t("under_age_title"), t("under_age_text"), t("under_age_yes"), t("cancel")], () => call("PATCH", "/me", { under_age: true }));
asked("forget", [t("forget_title"), t("forget_text"), t("forget_yes")], () => call("DELETE", "/feed/held"));
