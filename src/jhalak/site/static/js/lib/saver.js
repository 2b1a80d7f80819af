/** Data saver: on, off, or as the device says (the browser's Save-Data). Kept on this device. */

import { lasting } from "./store.js";

/** @returns {boolean|null} what was chosen here; null follows the device */
export function chosen() {
  const mine = lasting.get("saver");
  return typeof mine === "boolean" ? mine : null;
}

/** @param {boolean|null} mine */
export const choose = (mine) => lasting.set("saver", mine);

export const saving = () => chosen() ?? /** @type {any} */ (navigator).connection?.saveData === true;
