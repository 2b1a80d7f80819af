/**
 * The head of a fragmented MP4: how long its init part is, and where each fragment stands (ISO/IEC 14496-12,
 * 8.16.3). The bytes may be anything: every size is held against what is there, and what makes no sense throws.
 */

const MOST_HEAD = 1 << 20; // ours is some kilobytes
const MOST_BYTES = 2 ** 40;
const MOST_SECONDS = 86400;

/** @typedef {{from: number, to: number, begin: number, end: number}} Fragment first and last byte, seconds */

/**
 * @param {Uint8Array} bytes the file's first ones
 * @returns {{init: number, fragments: Fragment[]}|null} null: more is needed. init: bytes before the index
 */
export function readHead(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let moov = false;
  for (;;) {
    if (at > MOST_HEAD) throw new RangeError("no index");
    if (at + 8 > bytes.length) return null;
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (size < 8 || size > MOST_HEAD) throw new RangeError(`a box of ${size} bytes`);
    if (at === 0 && kind !== "ftyp") throw new RangeError("no MP4");
    if (kind === "moof" || kind === "mdat") throw new RangeError("no index");
    if (kind === "sidx") {
      if (!moov) throw new RangeError("an index before what it is for");
      return at + size > bytes.length ? null : { init: at, fragments: readIndex(view, at, size) };
    }
    moov ||= kind === "moov";
    at += size;
  }
}

/** @param {DataView} view @param {number} at @param {number} size of the box @returns {Fragment[]} */
function readIndex(view, at, size) {
  const wide = view.getUint8(at + 8) > 0; // version 1 has 64-bit numbers
  const fixed = wide ? 40 : 32;
  if (size < fixed) throw new RangeError("a short index");
  const timescale = view.getUint32(at + 16);
  const first = wide ? Number(view.getBigUint64(at + 28)) : view.getUint32(at + 24);
  const count = view.getUint16(at + fixed - 2);
  if (!timescale || !count || fixed + 12 * count > size) throw new RangeError("an index of nothing");
  let from = at + size + first;
  let ticks = 0;
  const fragments = [];
  for (let place = at + fixed; fragments.length < count; place += 12) {
    const long = view.getUint32(place); // its highest bit would say: another index
    const lasts = view.getUint32(place + 4);
    if (!long || long >= 2 ** 31 || !lasts) throw new RangeError("no fragment");
    const begin = ticks / timescale;
    ticks += lasts;
    fragments.push({ from, to: from + long - 1, begin, end: ticks / timescale });
    from += long;
  }
  if (from > MOST_BYTES || ticks / timescale > MOST_SECONDS) throw new RangeError("longer than a clip is");
  return fragments;
}
