/**
 * Like, save, follow: shown at once, taken back with a word when the server refuses. Taps that come while
 * one is under way are not lost: the last wish wins.
 */

import { call, seg } from "./api.js";
import { askToSignIn } from "./sheet.js";
import { signedIn } from "./me.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

/** @typedef {{wish: boolean, known: boolean, busy: boolean}} Tie */
/** @type {Map<string, Tie>} */
const ties = new Map();

/**
 * @param {string} path of the tie, as /videos/x/like
 * @param {boolean} wish
 * @param {(state: boolean) => void} show
 */
async function settle(path, wish, show) {
  const tie = ties.get(path) ?? { wish, known: !wish, busy: false };
  tie.wish = wish;
  ties.set(path, tie);
  show(wish);
  if (tie.busy) return;
  tie.busy = true;
  try {
    while (tie.wish !== tie.known) {
      const next = tie.wish;
      await call(next ? "PUT" : "DELETE", path);
      tie.known = next;
    }
  } catch (problem) {
    tie.wish = tie.known;
    show(tie.known);
    toast(/** @type {Error} */ (problem).message || t("server_trouble"));
  } finally {
    tie.busy = false;
    ties.delete(path);
  }
}

/** @param {any} item @param {boolean} wish @param {() => void} show */
export function like(item, wish, show) {
  if (!signedIn) return askToSignIn(t("sign_in_like"), `/v/${item.id}`);
  settle(`/videos/${seg(item.id)}/like`, wish, (state) => {
    if (Boolean(item.liked) !== state && item.counts) item.counts.likes += state ? 1 : -1;
    item.liked = state;
    show();
  });
}

/** @param {any} item @param {boolean} wish @param {() => void} show */
export function save(item, wish, show) {
  if (!signedIn) return askToSignIn(t("sign_in_save"), `/v/${item.id}`);
  settle(`/videos/${seg(item.id)}/save`, wish, (state) => {
    if (Boolean(item.saved) !== state && item.counts) item.counts.saves += state ? 1 : -1;
    item.saved = state;
    show();
  });
}

/** @param {{handle: string, following?: boolean}} person @param {boolean} wish @param {() => void} show @param {string} [back] */
export function follow(person, wish, show, back) {
  if (!signedIn) return askToSignIn(t("sign_in_follow", { name: `@${person.handle}` }), back);
  settle(`/people/${seg(person.handle)}/follow`, wish, (state) => {
    person.following = state;
    show();
  });
}
