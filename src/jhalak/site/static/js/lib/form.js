/** Forms that speak to the JSON API and put what was refused beside its field. */

import { Problem } from "./api.js";
import { t } from "./words.js";

/** @param {HTMLFormElement} form */
export function clear(form) {
  for (const place of form.querySelectorAll(".error")) place.textContent = "";
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/** @param {HTMLFormElement} form @param {string} message @param {string} [name] of the field */
export function refuse(form, message, name) {
  const field = name ? form.elements.namedItem(name) : null;
  const place = name ? form.querySelector(`[data-error="${CSS.escape(name)}"]`) : null;
  if (field instanceof HTMLElement && place) {
    place.textContent = message;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  } else {
    const general = form.querySelector('[data-error=""]');
    if (general) general.textContent = message;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {(values: Record<string, string>) => Promise<void>} act
 */
export function submitted(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement|null} */ (form.querySelector('button:not([type="button"])'));
    if (button?.getAttribute("aria-busy") === "true") return;
    clear(form);
    button?.setAttribute("aria-busy", "true");
    try {
      await act(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form))));
    } catch (problem) {
      if (!(problem instanceof Problem)) console.error(problem);
      refuse(form, problem instanceof Problem ? problem.message : t("server_trouble"), /** @type {Problem} */ (problem).field);
    } finally {
      button?.removeAttribute("aria-busy");
    }
  });
}
