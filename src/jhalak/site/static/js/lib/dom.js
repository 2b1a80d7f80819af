/** Small helpers for elements. Text is always set as text: no string from anybody becomes markup. */

const SPRITE = new URL("../../css/icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with properties and children. `class`, `data-*`, `aria-*` and other attributes by name,
 * `on` for listeners; false, null and undefined are left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** @param {string} name in css/icons.svg @param {string} [extra] classes */
export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} selector @param {ParentNode} [root]
 * @returns {T}
 */
export function find(selector, root = document) {
  const node = root.querySelector(selector);
  if (!node) throw new Error(`the page lacks ${selector}`);
  return /** @type {T} */ (node);
}

/** A copy of a <template>'s first element. @param {string} id */
export function copy(id) {
  const template = /** @type {HTMLTemplateElement} */ (find(`template#${id}`));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/** The round picture of a person, or the first letter of the name. @param {{handle: string, name?: string, picture?: string|null}} person */
export function avatar(person, extra = "") {
  const letter = Array.from(person.name || person.handle)[0] ?? "";
  return el(
    "span",
    { class: `avatar ${extra}`.trim(), "aria-hidden": "true" },
    person.picture ? el("img", { src: person.picture, alt: "", loading: "lazy", decoding: "async" }) : letter,
  );
}

let live = /** @type {HTMLElement|null} */ (null);

/** Says something to a screen reader without showing it. @param {string} text */
export function announce(text) {
  live ??= document.getElementById("live");
  if (live) live.textContent = text;
}

/** Colours that came as data; CSP allows no style attribute, so that they are set here. @param {ParentNode} root */
export function paint(root = document) {
  for (const node of root.querySelectorAll("[data-tone]")) {
    const tone = /** @type {HTMLElement} */ (node).dataset.tone ?? "";
    if (CSS.supports("color", tone)) /** @type {HTMLElement} */ (node).style.setProperty("--tone", tone);
  }
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
