/** Small memories of this browser. A browser that refuses them (private mode, full) forgets, and all still works. */

/** @param {Storage} box */
function memory(box) {
  return {
    /** @param {string} key @returns {any} */
    get(key) {
      try {
        return JSON.parse(box.getItem(`jhalak.${key}`) ?? "null");
      } catch {
        return null;
      }
    },
    /** @param {string} key @param {any} value null forgets */
    set(key, value) {
      try {
        if (value === null) box.removeItem(`jhalak.${key}`);
        else box.setItem(`jhalak.${key}`, JSON.stringify(value));
      } catch {
        // Full or forbidden: the page lives without.
      }
    },
  };
}

const none = /** @type {Storage} */ ({ getItem: () => null, setItem() {}, removeItem() {} });

/** @param {"localStorage"|"sessionStorage"} name */
function open(name) {
  try {
    return window[name];
  } catch {
    return none;
  }
}

export const lasting = memory(open("localStorage"));
export const passing = memory(open("sessionStorage"));
