/**
 * Tells the server what was watched. Events wait in a queue that outlives the page (sessionStorage), go in
 * batches, are sent again with growing pauses while the network is away, and are dropped only when the
 * server has taken them or says that it never will. A token with the same kind twice counts once there, so
 * that sending again is always safe.
 */

import { call, Problem } from "../lib/api.js";
import { passing } from "../lib/store.js";

const BATCH = 20;
const KEPT = 200; // more than this was never going to arrive
const FIRST_PAUSE = 1000;
const LAST_PAUSE = 30000;

/** @typedef {{token: string, kind: string, watched_ms: number, at: number}} Told */

export class Sender {
  constructor() {
    /** @type {Told[]} */
    this.queue = passing.get("events") ?? [];
    this.acknowledged = 0; // endings of clips that the server knows of, since the page began
    this.pause = FIRST_PAUSE;
    this.timer = 0;
    /** @type {Promise<void>|null} */
    this.sending = null;
    addEventListener("online", () => this.flush());
    if (this.queue.length) this.flush();
  }

  /** @param {string|undefined} token of the item; what was not served is not told @param {string} kind @param {number} [watched] milliseconds */
  tell(token, kind, watched = 0) {
    if (!token) return;
    this.queue.push({ token, kind, watched_ms: Math.round(watched), at: Date.now() });
    if (this.queue.length > KEPT) this.queue.splice(0, this.queue.length - KEPT);
    passing.set("events", this.queue);
  }

  /** Sends all that waits. Resolves when it is acknowledged or when the network is away. */
  flush() {
    this.sending ??= this.send().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  async send() {
    clearTimeout(this.timer);
    while (this.queue.length) {
      const batch = this.queue.slice(0, BATCH);
      try {
        await call("POST", "/events", { events: batch }, { keepalive: true });
        this.acknowledged += batch.filter(({ kind }) => kind !== "profile_opened").length;
        this.pause = FIRST_PAUSE;
      } catch (problem) {
        const status = problem instanceof Problem ? problem.status : 0;
        const later = status === 0 || status === 429 || status >= 500;
        if (later) {
          this.timer = window.setTimeout(() => this.flush(), this.pause);
          this.pause = Math.min(this.pause * 2, LAST_PAUSE);
          return;
        }
        // Refused for good: dropping it keeps what comes after it alive.
      }
      this.forget(batch);
    }
  }

  /** The page goes away: the browser carries the newest, if it can. They stay stored: nobody says that they came. */
  leave() {
    if (!this.queue.length) return;
    const body = new Blob([JSON.stringify({ events: this.queue.slice(-BATCH) })], { type: "application/json" });
    navigator.sendBeacon?.("/api/events", body);
  }

  /** @param {Told[]} batch */
  forget(batch) {
    this.queue = this.queue.filter((one) => !batch.includes(one));
    passing.set("events", this.queue.length ? this.queue : null);
  }
}
