/** Share: the system's own sheet where there is one, else the link is copied. */

import { call, seg } from "./api.js";
import { sheet } from "./sheet.js";
import { el } from "./dom.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

/** @param {string} text @returns {Promise<boolean>} whether it lies in the clipboard */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or a page without HTTPS: the link is shown instead
  }
}

/** @param {{id: string, caption?: string, counts?: {shares: number}}} item @param {() => void} [show] */
export async function share(item, show) {
  const url = new URL(`/v/${item.id}`, location.href).href;
  if (navigator.share) {
    try {
      await navigator.share({ title: item.caption || t("a_video"), url });
    } catch (reason) {
      if (/** @type {Error} */ (reason).name === "AbortError") return; // they thought better of it
      await offerLink(url);
    }
  } else {
    await offerLink(url);
  }
  try {
    const { shares } = await call("POST", `/videos/${seg(item.id)}/share`);
    if (item.counts) item.counts.shares = shares;
    show?.();
  } catch {
    // A share that is not counted is still a share.
  }
}

/** @param {string} url */
async function offerLink(url) {
  if (await copyText(url)) return toast(t("link_copied"));
  sheet(t("share"), () => {
    const field = el("input", { class: "input", readonly: true, value: url, "aria-label": t("link") });
    field.addEventListener("focus", () => field.select());
    return [field];
  });
}
