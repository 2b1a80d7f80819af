/** The operator's experiments: started, stopped, weights set back; each with a reason. */

import { call } from "../lib/api.js";
import { el, find } from "../lib/dom.js";
import { refuse, submitted } from "../lib/form.js";
import { sheet } from "../lib/sheet.js";
import { t } from "../lib/words.js";

const form = /** @type {HTMLFormElement} */ (find("#start"));

/** Lines of `name = number`. @param {string} text @returns {Record<string, number>|null} */
function read(text) {
  /** @type {Record<string, number>} */
  const values = {};
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const found = /^([\w.]+)\s*=\s*(-?[\d.]+)$/.exec(line);
    if (!found || Number.isNaN(Number(found[2]))) return null;
    values[found[1]] = Number(found[2]);
  }
  return values;
}

submitted(form, async ({ name, values, percent, days, window_hours, interleaved, reason }) => {
  const tried = read(values);
  if (!tried) return refuse(form, t("experiment_line"), "values");
  await call("POST", "/operator/experiments", {
    name: name.trim(),
    arms: [{ name: "tried", values: tried }],
    percent: Number(percent),
    days: Number(days),
    window_hours: Number(window_hours),
    interleaved: interleaved === "on",
    reason,
  });
  location.reload();
});

/** Asks why, then acts. @param {string} title @param {string} yes @param {(reason: string) => Promise<any>} act */
function because(title, yes, act) {
  sheet(title, () => {
    const asked = /** @type {HTMLFormElement} */ (
      el(
        "form",
        { class: "stack", novalidate: true },
        el(
          "div",
          { class: "field" },
          el("label", { for: "because" }, t("experiment_why")),
          el("input", { class: "input", id: "because", name: "reason", maxlength: "300", autocomplete: "off", autofocus: true }),
          el("p", { class: "error", "data-error": "reason", role: "alert" }),
        ),
        el("p", { class: "error", "data-error": "", role: "alert" }),
        el("button", { class: "button wide main" }, yes),
      )
    );
    submitted(asked, async ({ reason }) => {
      await act(reason);
      location.reload();
    });
    return [asked];
  });
}

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-act]"));
  if (button?.dataset.act === "stop") {
    const name = /** @type {HTMLElement} */ (button.closest("[data-name]")).dataset.name ?? "";
    because(t("experiment_stop", { name }), t("experiment_stop_yes"), (reason) =>
      call("POST", `/operator/experiments/${encodeURIComponent(name)}/stop`, { reason }),
    );
  } else if (button?.dataset.act === "back") {
    const values = JSON.parse(/** @type {HTMLElement} */ (button.closest("[data-values]")).dataset.values ?? "{}");
    because(t("weights_back"), t("weights_back_yes"), (reason) => call("PUT", "/operator/feed/weights", { values, reason }));
  }
});
