/**
 * Which of a clip's files to play: the sharpest that the line carries with room to spare and the screen
 * shows; of equals the one with fewest bits (AV1 beside H.264). Knows no browser, only numbers.
 *
 * What is chosen by: throughput, as most players for lines that change do (Jiang et al., FESTIVE, 2012), and
 * more boldly the more is buffered (Huang et al., BBA, 2014).
 */

const UP = 0.65; // of what the line brings: more is not begun with, nor gone up to
const STAY = 0.85; // what plays well already may take this much while enough is ahead
const CALM = 3; // seconds ahead that are enough to stay
const RISE = 1.5; // seconds ahead from which on something larger is tried
const BEGIN = 0.4; // seconds that the first part may take: a clip begins at once, and gets sharper then
const ENOUGH = 0.9; // of the screen's pixels: more would not be seen

/** @typedef {{src: string, width: number, height: number, bps: number, peak_bps: number, codecs: string, start: number}} Source */

/** @param {Source} source the shorter side in pixels */
const side = ({ width, height }) => Math.min(width, height);

/**
 * @param {Source[]} sources at least one, all playable here
 * @param {{bps: number, side: number, saving: boolean, ahead: number, current?: Source|null}} seen
 *   bps: bits a second that the line brings; side: the shorter side of the picture on the screen in device pixels;
 *   ahead: seconds that are buffered; current: what is playing
 * @returns {Source}
 */
export function choose(sources, { bps, side: shown, saving, ahead, current = null }) {
  const byBits = [...sources].sort((a, b) => a.bps - b.bps);
  if (saving) return byBits[0];
  const seen = sources.map(side).filter((one) => one >= shown * ENOUGH);
  const most = seen.length ? Math.min(...seen) : Infinity;
  const fits = byBits.filter((one) => {
    if (side(one) > most) return false;
    if (one.src === current?.src && ahead >= CALM) return one.bps <= bps * STAY;
    if (one.peak_bps > bps * UP) return false;
    return current ? one.bps <= current.bps || ahead >= RISE : one.start * 8 <= bps * BEGIN;
  });
  let best = byBits[0];
  for (const one of fits) if (side(one) > side(best)) best = one;
  return best;
}
