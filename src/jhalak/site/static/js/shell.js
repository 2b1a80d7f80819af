/** On every page: the service worker, and a word when the network is away. */

import { el, find, paint } from "./lib/dom.js";
import { t } from "./lib/words.js";

if ("serviceWorker" in navigator && isSecureContext) {
  addEventListener("load", () => {
    navigator.serviceWorker.register("/sw.js").catch(() => {
      // Without it the site only does not install and has no offline page.
    });
  });
}

const bar = el("p", { class: "offline-bar", hidden: true }, t("offline_bar"));
find("#live-zone").append(bar);
const show = () => {
  bar.hidden = navigator.onLine;
};
addEventListener("online", show);
addEventListener("offline", show);
show();
paint();
