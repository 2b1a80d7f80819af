/**
 * One clip in a video element by Media Source: fragment after fragment, as the line (line.js) brings them.
 * Nothing is fetched that was not asked for, another rendition may begin with any fragment, and what was
 * interrupted goes on at the byte where it stopped.
 */

import { saving } from "../lib/saver.js";
import { choose } from "./choice.js";
import { line } from "./line.js";
import { readHead } from "./sidx.js";

/** @typedef {import("./choice.js").Source} Source @typedef {import("./sidx.js").Fragment} Fragment */
/** @typedef {{source: Source, from: number, to: number, until: number, held: Uint8Array|null}} Part bytes still to come; `until` the second that they end with, 0: not known yet, -1: not wanted any more; `held`: bytes of a head that is not whole */

const APART = 0.3; // seconds by which picture and sound may end apart; a fragment lasts longer
const BEHIND = 10; // seconds kept behind, when the browser has no more room
const HEAD = 2048; // bytes by which heads of one clip may differ

export const MEDIA = /** @type {typeof MediaSource|undefined} */ (/** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource);

/** @param {string} codecs */
export const type = (codecs) => `video/mp4; codecs="${codecs}"`;

export class Stream {
  /** @param {HTMLVideoElement} video @param {Source[]} sources @param {() => void} failed */
  constructor(video, sources, failed) {
    this.video = video;
    this.sources = sources;
    this.failed = failed;
    this.source = /** @type {Source|null} */ (null); // what is fetched now
    this.appended = /** @type {Source|null} */ (null); // whose init part the buffer had last
    /** @type {Map<string, {init: Uint8Array, fragments: Fragment[]}>} */
    this.heads = new Map();
    this.rest = /** @type {Part|null} */ (null);
    this.moved = false; // since the buffer was last looked at
    this.to = 0; // seconds up to which it is fetched, from where it plays
    /** @type {(BufferSource|{type: string})[]} */
    this.queue = [];
    this.buffer = /** @type {SourceBuffer|null} */ (null);
    this.gone = new AbortController();
    const on = { signal: this.gone.signal };
    this.media = new (/** @type {typeof MediaSource} */ (MEDIA))();
    const url = URL.createObjectURL(this.media);
    this.media.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(url);
        this.drain();
      },
      { ...on, once: true },
    );
    video.preload = "auto";
    video.src = url;
    video.addEventListener("seeking", () => this.sync(), on);
    video.addEventListener("waiting", () => this.sync(), on);
    video.addEventListener("timeupdate", () => line.pump(), on);
  }

  release() {
    this.gone.abort();
    this.queue = [];
    line.drop(this);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  get whole() {
    const last = this.source && this.heads.get(this.source.src)?.fragments.at(-1);
    return Boolean(last && this.to >= last.end);
  }

  /** Whether fewer than these seconds are ahead. @param {number} seconds */
  hungry(seconds) {
    return !this.whole && this.to - this.video.currentTime < seconds;
  }

  /** What to fetch so that this many seconds are ahead; null when they are. @param {number} seconds @returns {Part|null} */
  next(seconds) {
    if (this.gone.signal.aborted || !this.hungry(seconds)) return null;
    if (this.rest) return this.rest;
    const source = choose(this.sources, {
      bps: line.bps,
      side: Math.min(this.video.clientWidth, this.video.clientHeight) * devicePixelRatio,
      saving: saving(),
      ahead: this.to - this.video.currentTime,
      current: this.source,
    });
    const head = this.heads.get(source.src);
    if (!head) {
      const known = this.source && this.heads.get(this.source.src);
      const to = known ? known.fragments[0].from + HEAD : source.start - 1;
      if (!known) this.source = source;
      return { source, from: 0, to, until: 0, held: new Uint8Array() };
    }
    this.source = source;
    const fragment = head.fragments.find(({ end }) => end > this.to);
    return fragment ? { source, from: fragment.from, to: fragment.to, until: fragment.end, held: null } : null;
  }

  /** Bytes of a part. Throws RangeError when they are no clip. @param {Part} part @param {Uint8Array} bytes */
  take(part, bytes) {
    if (this.gone.signal.aborted) return;
    part.from += bytes.length;
    if (!part.held) {
      if (part.until > 0) this.append(part.source, bytes);
      return;
    }
    const held = new Uint8Array(part.held.length + bytes.length);
    held.set(part.held);
    held.set(bytes, part.held.length);
    part.held = held;
    const head = readHead(held);
    if (!head) return;
    part.held = null;
    this.heads.set(part.source.src, { init: held.slice(0, head.init), fragments: head.fragments });
    if (part.source !== this.source) {
      part.to = part.from - 1; // only its head was wanted
      return;
    }
    const [first] = head.fragments;
    part.to = Math.min(part.to, first.to);
    part.until = first.end;
    this.append(part.source, held.subarray(first.from, part.from));
  }

  /** @param {Part} part all of it came */
  done(part) {
    if (part.held) throw new RangeError("no head");
    this.rest = null;
    if (part.until > 0) this.to = part.until;
    this.drain();
  }

  /** @param {Part} part no more of it comes now */
  stopped(part) {
    this.rest = part.until > 0 && part.from <= part.to && part.source === this.appended ? part : null;
  }

  /** @param {Source} source @param {Uint8Array} bytes */
  append(source, bytes) {
    if (this.appended !== source) {
      if (this.appended && type(this.appended.codecs) !== type(source.codecs)) this.queue.push({ type: type(source.codecs) });
      this.queue.push(/** @type {any} */ (this.heads.get(source.src)).init);
      this.appended = source;
    }
    if (bytes.length) this.queue.push(/** @type {BufferSource} */ (bytes));
    this.drain();
  }

  /** Gives the browser what waits, and says when that was the last. */
  drain() {
    if (this.gone.signal.aborted || this.media.readyState === "closed" || this.video.error) return;
    if (!this.buffer) {
      if (!this.appended) return;
      this.buffer = this.media.addSourceBuffer(type(this.appended.codecs));
      this.buffer.addEventListener("updateend", () => this.drain());
    }
    const { buffer, queue } = this;
    while (queue.length && !buffer.updating) {
      const one = queue[0];
      try {
        if ("type" in one) buffer.changeType(one.type);
        else buffer.appendBuffer(one);
        queue.shift();
      } catch (reason) {
        if (/** @type {Error} */ (reason).name !== "QuotaExceededError") throw reason;
        const behind = this.video.currentTime - BEHIND;
        if (behind > 0) buffer.remove(0, behind);
        return; // tried again then, or when it has played on
      }
    }
    if (queue.length || buffer.updating) return;
    if (this.moved) this.sync();
    else if (this.whole && this.media.readyState === "open") this.media.endOfStream();
  }

  /** The place was changed, or the browser threw away what was here: goes on from what is really buffered. */
  sync() {
    this.moved = Boolean(this.queue.length || this.buffer?.updating);
    const fragments = this.source && this.heads.get(this.source.src)?.fragments;
    if (this.moved || !fragments) return;
    const { currentTime, buffered } = this.video;
    let end = currentTime;
    for (let at = 0; at < buffered.length; at += 1) {
      if (buffered.start(at) <= currentTime + APART && currentTime < buffered.end(at)) end = buffered.end(at);
    }
    const busy = line.active?.stream === this ? line.active : null;
    const coming = Math.max(this.to, (busy?.part ?? this.rest)?.until ?? 0);
    if (end >= this.to - APART && end <= coming + APART) return; // all as it was thought
    this.to = fragments.find((one) => one.end > end + APART)?.begin ?? this.to;
    this.rest = null;
    if (busy) {
      busy.part.until = -1;
      busy.stop.abort();
    }
    if (this.buffer && this.media.readyState === "open") this.buffer.abort(); // whatever was half read
    line.pump();
  }
}
