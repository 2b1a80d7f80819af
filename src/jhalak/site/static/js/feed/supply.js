/**
 * The clips that come next. Small pages, asked early, and only after the server knows what was just watched:
 * then what waited unseen beyond the next two stands back behind the new page, so that a skip is felt at
 * once. It is not thrown away: the server does not serve it again soon, and it may be good.
 */

import { get } from "../lib/api.js";

const PAGE = 5;
const RESERVE = 12; // clips that stood back and may still be played when nothing better comes
const LOW = 3; // unplayed clips left: time to ask
const KEPT = 2; // these are already loading: a new page comes after them
const STALE = 2; // endings that the queue does not know of yet
const PATIENCE = 1500; // ms that a page waits for the events before it
const AGAIN = 4000;

export class Supply {
  /**
   * @param {{scope: string, value: string, first: any[], sender: import("./sender.js").Sender}} how
   * @param {(what: {cut: number}) => void} changed items from index `cut` on are new
   */
  constructor({ scope, value, first, sender }, changed) {
    this.scope = scope;
    this.value = value;
    this.sender = sender;
    this.changed = changed;
    this.items = [...first];
    /** @type {"open"|"ended"|"troubled"} */
    this.state = "open";
    this.known = 0; // of sender.acknowledged when the last page was asked for
    this.asking = false;
    this.at = 0;
    this.retry = 0;
    this.trouble = "";
  }

  /** @param {number} at index of the clip on screen */
  moved(at) {
    this.at = at;
    this.sender.flush().then(() => this.consider());
    this.consider();
  }

  consider() {
    const left = this.items.length - 1 - this.at;
    if (left <= LOW || this.sender.acknowledged - this.known >= STALE) this.ask();
  }

  /** Asks for the next page now. @param {{fresh?: boolean}} [why] fresh: the viewer said something that must be felt */
  async ask({ fresh = false } = {}) {
    if (this.asking || (this.state === "ended" && !fresh && this.sender.acknowledged === this.known)) return;
    this.asking = true;
    clearTimeout(this.retry);
    try {
      await Promise.race([this.sender.flush(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
      this.known = this.sender.acknowledged;
      const query = new URLSearchParams({ n: String(PAGE), scope: this.scope });
      if (this.value) query.set("value", this.value);
      const page = await get(`/feed?${query}`);
      this.take(page.items);
    } catch (problem) {
      this.state = "troubled";
      this.trouble = /** @type {Error} */ (problem).message;
      this.retry = window.setTimeout(() => this.ask(), AGAIN);
      this.changed({ cut: this.items.length });
    } finally {
      this.asking = false;
    }
  }

  /** @param {any[]} page */
  take(page) {
    const cut = Math.min(this.items.length, this.at + 1 + KEPT);
    const held = new Set(this.items.slice(Math.max(0, this.at), cut).map(({ id }) => id));
    const fresh = page.filter(({ id }) => !held.has(id));
    if (fresh.length) {
      const ids = new Set(fresh.map(({ id }) => id));
      const rest = this.items.slice(cut).filter(({ id }) => !ids.has(id));
      this.items.splice(cut, this.items.length - cut, ...fresh, ...rest.slice(0, RESERVE));
      this.state = "open";
      this.changed({ cut });
    } else {
      // Nothing new: what is queued stays, and behind it stands the end.
      this.state = "ended";
      this.changed({ cut: this.items.length });
    }
  }
}
