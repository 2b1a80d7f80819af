/**
 * The line to the server, and who may use it: one transfer of media at a time, the most urgent first. So
 * nothing that loads ahead ever takes bytes from the clip on screen, and how much the line brings can be told.
 *
 * Order: the visible clip until it has enough ahead; the first part of the next, of the one after; a little
 * more of the next. Where the line is rich, all three ahead, so that a tunnel is not noticed.
 */

import { saving } from "../lib/saver.js";
import { lasting } from "../lib/store.js";

/** @typedef {import("./stream.js").Stream} Stream @typedef {import("./stream.js").Part} Part */

const LEAST = 2; // seconds ahead that the visible clip always gets
const MOST = 6; // as many as it was watched for, but no more than these: who stayed, stays on
const NEXT = 2; // seconds of the next clip
const ANY = 0.1; // seconds: the first fragment is enough
const RICH = 4e6; // bits a second from which on clips are fetched for when the line drops
const STOCK = 20; // seconds of each of them
const HUNGRY = 1; // seconds ahead: below, what is loading for later lets go of the line
const NEARLY = 0.25; // seconds that the rest of a transfer may take and still be waited for
const SILENCE = 8000; // ms without a byte: the line is dead, whatever it says
const FIRST_PAUSE = 500;
const LAST_PAUSE = 8000;
const UNKNOWN = 1e6; // bits a second where nobody says anything
const SMALL = 16384; // bytes: a transfer that tells nothing
const QUICK = 2; // seconds of transfers after which half of what was known is forgotten
const SLOW = 8;
const BRIEF = 0.5; // seconds that a transfer counts for at least
const DAY = 86400e3;

class Refused extends Error {}

class Line {
  constructor() {
    /** @type {Stream[]} most urgent first */
    this.streams = [];
    this.active = /** @type {{stream: Stream, part: Part, stop: AbortController}|null} */ (null);
    this.pause = FIRST_PAUSE;
    this.timer = 0; // of the next try, while the line is away
    const known = lasting.get("line");
    const said = (/** @type {any} */ (navigator).connection?.downlink ?? Infinity) * 1e6 || Infinity;
    const learned = known && Date.now() - known.at < DAY ? known.bps : Infinity;
    const start = Math.min(said, learned);
    this.quick = this.slow = Number.isFinite(start) ? start : UNKNOWN;
    addEventListener("online", () => this.again());
    addEventListener("pagehide", () => lasting.set("line", { bps: Math.round(this.bps), at: Date.now() }));
    new PerformanceObserver((list) => {
      for (const one of /** @type {PerformanceResourceTiming[]} */ (list.getEntries())) {
        // What came from a cache says nothing of the line.
        if (one.initiatorType === "fetch" && one.transferSize && /^\/media\/.*\.mp4$/.test(new URL(one.name).pathname)) {
          this.learn(one.encodedBodySize, (one.responseEnd - one.requestStart) / 1000);
        }
      }
    }).observe({ type: "resource" });
  }

  /** Bits a second that the line brings, its waiting included: the more careful of two memories. */
  get bps() {
    return Math.min(this.quick, this.slow);
  }

  /** @param {number} bytes @param {number} seconds */
  learn(bytes, seconds) {
    if (bytes < SMALL || seconds <= 0) return;
    const seen = (bytes * 8) / seconds;
    const counts = Math.max(seconds, BRIEF); // else a line that became fast would not be noticed
    const blend = (/** @type {number} */ old, /** @type {number} */ half) => seen + (old - seen) * 0.5 ** (counts / half);
    this.quick = blend(this.quick, QUICK);
    this.slow = blend(this.slow, SLOW);
  }

  /** @param {Stream[]} streams of the visible clip and those ahead, in order */
  serve(streams) {
    this.streams = streams;
    this.pump();
  }

  /** @param {Stream} stream that is gone */
  drop(stream) {
    this.streams = this.streams.filter((one) => one !== stream);
    if (this.active?.stream === stream) this.active.stop.abort();
  }

  /** Who wants how many seconds ahead, most urgent first. @returns {[Stream, number][]} */
  wants() {
    const [now, next, after, third] = this.streams;
    /** @type {[Stream|undefined, number][]} */
    const wants = [[now, this.safe(now)], [next, ANY]];
    if (!saving()) {
      wants.push([after, ANY], [next, NEXT], [now, Math.min(MOST, now?.video.currentTime ?? 0)]);
      if (this.bps >= RICH) wants.push([now, STOCK], [next, STOCK], [after, STOCK], [third, STOCK]);
    }
    return /** @type {[Stream, number][]} */ (wants.filter(([stream]) => stream));
  }

  /** Seconds ahead that the visible clip needs: twice what a part of two seconds takes. @param {Stream|undefined} now */
  safe(now) {
    return Math.max(LEAST, now?.source ? (4 * now.source.peak_bps) / this.bps : 0);
  }

  /** Starts what is most urgent, if the line is free, or takes it back from what is not. */
  pump() {
    if (this.active) {
      const { stream, part, stop } = this.active;
      const left = (part.to + 1 - part.from) * 8;
      if (stream !== this.streams[0] && this.streams[0]?.hungry(HUNGRY) && left > this.bps * NEARLY) stop.abort();
      return;
    }
    if (this.timer) return;
    for (const [stream, seconds] of this.wants()) {
      const part = stream.next(seconds);
      if (part) {
        this.fetch(stream, part);
        return;
      }
    }
  }

  /** @param {Stream} stream @param {Part} part */
  async fetch(stream, part) {
    const stop = new AbortController();
    this.active = { stream, part, stop };
    let dead = false;
    let silence = 0;
    const alive = () => {
      clearTimeout(silence);
      silence = window.setTimeout(() => {
        dead = true;
        stop.abort();
      }, SILENCE);
    };
    try {
      alive();
      const answer = await fetch(part.source.src, { headers: { Range: `bytes=${part.from}-${part.to}` }, signal: stop.signal });
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429) throw new Refused();
      if (answer.status !== 206 || !answer.body) throw new TypeError(`answered with ${answer.status}`);
      const reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        alive();
        stream.take(part, value);
      }
      stream.done(part);
      this.pause = FIRST_PAUSE;
    } catch (reason) {
      stream.stopped(part);
      if (reason instanceof Refused || reason instanceof RangeError) stream.failed(); // not there, or no clip
      else if (dead || !stop.signal.aborted) this.later();
    } finally {
      clearTimeout(silence);
      this.active = null;
    }
    this.pump();
  }

  /** The line is away: tries again, with growing pauses. */
  later() {
    this.timer = window.setTimeout(() => this.again(), this.pause);
    this.pause = Math.min(this.pause * 2, LAST_PAUSE);
  }

  again() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.pump();
  }
}

export const line = new Line();
