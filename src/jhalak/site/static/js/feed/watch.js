/**
 * How long a clip was really watched: only frames that moved count, not pauses, stalls, or jumps along the
 * line. What it was in the end (watched, finished, replayed, skipped) is told once, when the viewer moves on.
 */

const SKIP_MS = 3000; // left sooner than this, and before half of it: not for this viewer
const JUMP_S = 1.5; // between two clock ticks real playback moves less

export class Watch {
  /** @param {HTMLVideoElement} video @param {(kind: string, ms: number) => void} tell */
  constructor(video, tell) {
    this.video = video;
    this.tell = tell;
    this.watched = 0;
    this.ends = 0;
    this.last = video.currentTime;
    this.started = performance.now();
    this.stop = new AbortController();
    const on = { signal: this.stop.signal };
    video.addEventListener("timeupdate", () => this.tick(), on);
    video.addEventListener("seeking", () => { this.last = video.currentTime; }, on);
    video.addEventListener("seeked", () => { this.last = video.currentTime; }, on);
  }

  tick() {
    const now = this.video.currentTime;
    const moved = now - this.last;
    if (moved > 0 && moved < JUMP_S && !this.video.seeking) this.watched += moved * 1000;
    this.last = now;
  }

  /** The clip reached its end and begins again. */
  ended() {
    this.tick();
    this.last = 0;
    this.ends += 1;
  }

  /** Never more than the time that passed: a fast clock in a player must not look like a claim. */
  credit() {
    return Math.min(this.watched, performance.now() - this.started);
  }

  /** The viewer moved on. Idempotent. */
  leave() {
    if (this.stop.signal.aborted) return;
    this.tick();
    this.stop.abort();
    this.tell(this.kind(), this.credit());
  }

  kind() {
    if (this.ends > 1) return "replayed";
    if (this.ends === 1) return "finished";
    return this.settled() ? "watched" : "skipped";
  }

  /** Whether it was watched long enough to be no skip. */
  settled() {
    const length = this.video.duration * 1000;
    return this.ends > 0 || this.credit() >= Math.min(SKIP_MS, Number.isFinite(length) ? length / 2 : SKIP_MS);
  }
}
