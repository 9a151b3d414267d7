// What the eye would mind on a page, measured inside of it: something cut off, text over text, text
// that sticks out of its box, a page or a part of it that has to be pushed sideways, and targets too
// small for a finger. `measure` runs in the page and answers a line for each fault.

/** How many of a page's faults are told; more of them are of the same kind. */
const TOLD = 14;

/** The faults of a page as it stands, or of what is `within` a part of it. */
export async function faults(page, { within = "body", fingers = false } = {}) {
  const found = await page.evaluate(measure, { within, fingers });
  return found.length > TOLD ? [...found.slice(0, TOLD), `and ${found.length - TOLD} more`] : found;
}

/** Runs in the page, so it stands alone. Lengths are in CSS pixels. */
function measure({ within, fingers }) {
  const SLACK = 1.5;
  const FINGER = 24;
  /** Of a letter's height, how much is ink: boxes of lines may touch where letters do not. */
  const INK = 0.7;
  const wide = document.documentElement.clientWidth;
  const root = document.querySelector(within);
  const found = [];

  // Where motion is reduced, each change of a style takes a moment and is the old one until then.
  for (let turn = 0; turn < 3; turn++) {
    root.getBoundingClientRect();
    for (const moving of document.getAnimations()) if (moving instanceof CSSTransition) moving.finish();
  }

  const words = (element) => (element.innerText ?? element.textContent ?? "").trim().replaceAll(/\s+/g, " ");
  const called = (element) => {
    const classes = [...element.classList].map((name) => `.${name}`).join("");
    const about = words(element) || element.getAttribute("aria-label") || element.getAttribute("name") || "";
    return `${element.tagName.toLowerCase()}${element.id && `#${element.id}`}${classes} “${about.slice(0, 48)}”`;
  };
  const say = (what, element, more = "") => {
    const line = `${what}: ${called(element)}${more && ` ${more}`}`;
    if (!found.includes(line)) found.push(line);
  };
  const px = (length) => `${Math.round(length * 10) / 10} px`;
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });

  // --- where what is inside of an element can be seen -------------------------------------------

  const EVERYWHERE = { left: -Infinity, right: Infinity, top: -Infinity, bottom: Infinity };
  const meet = (one, two) => ({
    left: Math.max(one.left, two.left),
    right: Math.min(one.right, two.right),
    top: Math.max(one.top, two.top),
    bottom: Math.min(one.bottom, two.bottom),
  });
  const frames = new Map();
  /**
   * `reach`: where it can be brought to be seen, `seen`: where it is seen now, `by`: what cuts it;
   * `layer`: what lies over the rest of the page together with it.
   */
  function frame(element) {
    if (!element || element === document.documentElement) {
      return { reach: EVERYWHERE, seen: EVERYWHERE, by: null, layer: null, scrolls: false, unseen: false };
    }
    const known = frames.get(element);
    if (known) return known;
    const style = getComputedStyle(element);
    const rect = element.getBoundingClientRect();
    const own = { ...frame(element.parentElement) };
    if (["fixed", "sticky"].includes(style.position) || element.matches("dialog[open], [popover]:popover-open")) {
      Object.assign(own, { reach: EVERYWHERE, seen: EVERYWHERE, by: null, layer: element, scrolls: false });
    }
    // What only readers of screens are told.
    own.unseen ||= /inset\(50%/.test(style.clipPath) || (rect.width <= 1 && style.overflowX === "hidden");
    const inline = style.display === "inline" || style.display === "contents";
    const cuts = (way) => !inline && ["hidden", "clip"].includes(way);
    const scrolls = (way) => !inline && ["auto", "scroll"].includes(way);
    const sideways = { left: rect.left, right: rect.right, top: -Infinity, bottom: Infinity };
    const upright = { left: -Infinity, right: Infinity, top: rect.top, bottom: rect.bottom };
    for (const [way, part] of [[style.overflowX, sideways], [style.overflowY, upright]]) {
      if (cuts(way)) {
        own.reach = meet(own.reach, part);
        own.by = element;
      }
      if (scrolls(way)) own.reach = { ...own.reach, ...(part === sideways ? { left: -Infinity, right: Infinity } : { top: -Infinity, bottom: Infinity }) };
      if (cuts(way) || scrolls(way)) own.seen = meet(own.seen, part);
    }
    own.scrolls ||= scrolls(style.overflowX);
    frames.set(element, own);
    return own;
  }

  /** The box that a text is seen to stand in: the nearest one with an edge or a ground of its own. */
  const boxes = new Map();
  function boxOf(element) {
    if (!element || element === document.body) return null;
    if (boxes.has(element)) return boxes.get(element);
    const style = getComputedStyle(element);
    const edged = ["Left", "Right"].every((side) => parseFloat(style[`border${side}Width`]) > 0 && style[`border${side}Style`] !== "none");
    const ground = !/^rgba\(.*, 0\)$|^transparent$/.test(style.backgroundColor);
    const block = style.display !== "inline" && style.display !== "contents";
    const box = block && (edged || ground) ? element : boxOf(element.parentElement);
    boxes.set(element, box);
    return box;
  }

  // --- all texts and all controls ----------------------------------------------------------------

  const texts = [];
  const range = document.createRange();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("title, desc, option, datalist, script, style, textarea") || !shown(element)) continue;
    const around = frame(element);
    if (around.unseen) continue;
    const drawn = element instanceof SVGElement;
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(element).fontSize);
    for (const rect of drawn ? [element.getBoundingClientRect()] : range.getClientRects()) {
      if (rect.width < 1 || rect.height < 1) continue;
      const middle = (rect.top + rect.bottom) / 2;
      const half = Math.min(rect.height, size * INK) / 2;
      texts.push({ node, element, around, drawn, left: rect.left, right: rect.right, top: middle - half, bottom: middle + half });
    }
  }
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const controls = [...root.querySelectorAll(CONTROLS)]
    .filter((element) => shown(element) && !frame(element).unseen)
    .map((element) => ({ element, around: frame(element), rect: element.getBoundingClientRect() }))
    .filter(({ rect }) => rect.width > 0 && rect.height > 0);

  // --- the page and its parts sideways -----------------------------------------------------------

  const over = document.documentElement.scrollWidth - wide;
  if (over > 0) {
    const past = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > wide + 1 && !frame(element).scrolls);
    found.push(`the page scrolls sideways: ${px(over)} wider than the window, by ${past.slice(-3).map(called).join(", ")}`);
  }
  // What is typed may be longer than its field, and text as it was sent has lines of any length.
  const MAY_SCROLL = "pre, textarea, input, select";
  for (const element of [root, ...root.querySelectorAll("*")]) {
    if (element.scrollWidth <= element.clientWidth + 1 || element.clientWidth === 0 || element.closest(MAY_SCROLL) || !shown(element)) continue;
    const style = getComputedStyle(element);
    const around = frame(element);
    if (around.unseen || style.display === "inline" || element instanceof SVGElement) continue;
    if (["auto", "scroll"].includes(style.overflowX)) {
      say("a part has to be pushed sideways", element, `${px(element.scrollWidth - element.clientWidth)} too wide`);
    } else if (style.textOverflow === "ellipsis" && style.overflowX !== "visible") {
      const titled = element.closest("[title]") ?? element.querySelector("[title]");
      const whole = (titled?.title ?? "").replaceAll(/\s+/g, " ").trim();
      const text = (element.textContent ?? "").replaceAll(/\s+/g, " ").trim();
      if (!whole.includes(text)) say("a text ends in dots and nothing tells the rest", element);
    }
  }

  // --- cut, out of the window, out of its box ----------------------------------------------------

  const dotted = (around) => around.by && getComputedStyle(around.by).textOverflow === "ellipsis";
  for (const text of texts) {
    const { element, around } = text;
    const { reach } = around;
    const aside = Math.max(reach.left - text.left, text.right - reach.right);
    const upright = Math.max(reach.top - text.top, text.bottom - reach.bottom);
    if (aside > SLACK && !dotted(around)) say("a text is cut", element, `by ${px(aside)}, by ${called(around.by)}`);
    if (upright > SLACK) say("a text is cut", element, `by ${px(upright)} above or below, by ${called(around.by)}`);
    const out = Math.max(-text.left, text.right - wide);
    if (out > SLACK && !around.scrolls && !dotted(around)) say("a text is out of the window", element, `by ${px(out)}`);
    if (text.drawn) {
      const drawing = element.ownerSVGElement;
      const edge = drawing.getBoundingClientRect();
      const past = Math.max(edge.left - text.left, text.right - edge.right, edge.top - text.top, text.bottom - edge.bottom);
      if (past > SLACK && getComputedStyle(drawing).overflowX !== "visible") say("a text is cut by its drawing", element, `by ${px(past)}`);
    }
    const box = boxOf(text.drawn ? element.ownerSVGElement : element);
    if (!box || dotted(around)) continue;
    const rect = box.getBoundingClientRect();
    const past = Math.max(rect.left - text.left, text.right - rect.right, rect.top - text.top, text.bottom - rect.bottom);
    const scrolled = frame(box).scrolls !== around.scrolls || ["auto", "scroll"].includes(getComputedStyle(box).overflowY);
    if (past > SLACK && !scrolled) say("a text sticks out of its box", element, `by ${px(past)}, box ${called(box)}`);
  }
  for (const { element, around, rect } of controls) {
    const { reach } = around;
    const aside = Math.max(reach.left - rect.left, rect.right - reach.right);
    if (aside > SLACK && !(element.tagName === "A" && dotted(around))) say("a control is cut", element, `by ${px(aside)}`);
    const out = Math.max(-rect.left, rect.right - wide);
    if (out > SLACK && !around.scrolls && !dotted(around)) say("a control is out of the window", element, `by ${px(out)}`);
  }

  // --- the words inside of fields, which have no boxes of their own -------------------------------

  const pen = document.createElement("canvas").getContext("2d");
  for (const { element } of controls) {
    const style = getComputedStyle(element);
    const chosen = element.tagName === "SELECT" ? (element.selectedOptions[0]?.text ?? "") : "";
    const hint = "placeholder" in element && !element.value ? element.placeholder : "";
    const text = chosen || hint;
    if (!text) continue;
    pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const lines = element.tagName === "TEXTAREA" ? text.split("\n").flatMap((line) => line.split(" ")) : [text];
    const need = Math.max(...lines.map((line) => pen.measureText(line).width));
    if (need > room + SLACK && element.title !== text) say("the words in a field are cut", element, `“${text.slice(0, 40)}” by ${px(need - room)}`);
  }

  // --- text over text, and controls over text ----------------------------------------------------

  const visible = texts
    .map((text) => ({ ...text, ...meet(text, text.around.seen) }))
    .filter(({ left, right, top, bottom }) => right - left > SLACK && bottom - top > SLACK)
    .sort((one, two) => one.top - two.top);
  for (let first = 0; first < visible.length; first++) {
    const one = visible[first];
    for (let second = first + 1; second < visible.length && visible[second].top < one.bottom - SLACK; second++) {
      const two = visible[second];
      if (one.node === two.node || one.around.layer !== two.around.layer) continue;
      // A part of a drawn text is inside of its box.
      if (one.element !== two.element && (one.element.contains(two.element) || two.element.contains(one.element))) continue;
      const common = Math.min(one.right, two.right) - Math.max(one.left, two.left);
      if (common > SLACK) say("text over text", one.element, `and ${called(two.element)}, ${px(common)}`);
    }
  }
  const solid = controls.filter(({ element }) => element.matches("button, .button, select, textarea, input"));
  for (const { element, rect, around } of solid) {
    const seen = meet(rect, around.seen);
    for (const text of visible) {
      if (text.top > seen.bottom || text.around.layer !== around.layer || element.contains(text.element)) continue;
      const across = Math.min(seen.right, text.right) - Math.max(seen.left, text.left);
      const along = Math.min(seen.bottom, text.bottom) - Math.max(seen.top, text.top);
      if (across > SLACK && along > SLACK) say("a control stands over a text", element, `text ${called(text.element)}`);
    }
  }

  // --- rows whose actions crowd out their columns ------------------------------------------------

  for (const row of root.querySelectorAll("td .row-actions")) {
    const buttons = [...row.querySelectorAll(".button")].filter(shown);
    if (buttons.length > 2) say("a row has more than two buttons", row);
  }

  // --- for fingers (WCAG 2.5.8) ------------------------------------------------------------------

  if (fingers) {
    // A box is ticked by its label as well.
    const target = ({ element, rect }) => {
      const label = element.matches("[type=checkbox], [type=radio]") ? element.closest("label") : null;
      return label ? label.getBoundingClientRect() : rect;
    };
    const targets = controls.map((control) => ({ ...control, rect: target(control) }));
    const inSentence = (element) => {
      if (element.tagName !== "A" || getComputedStyle(element).display !== "inline") return false;
      const around = element.parentElement.textContent.trim();
      return around.length > element.textContent.trim().length;
    };
    // What takes no touch is none; its keyboard and its list beside it remain.
    const touched = ({ element }) => getComputedStyle(element).pointerEvents !== "none";
    const small = targets.filter(touched).filter(({ element, rect }) => Math.min(rect.width, rect.height) < FINGER - 0.5 && !inSentence(element));
    for (const { element, rect, around } of small) {
      const [x, y] = [(rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2];
      const near = targets.find((other) => {
        if (other.element === element || other.around.layer !== around.layer) return false;
        const dx = Math.max(other.rect.left - x, 0, x - other.rect.right);
        const dy = Math.max(other.rect.top - y, 0, y - other.rect.bottom);
        return Math.hypot(dx, dy) < FINGER / 2 - 0.5;
      });
      if (near) say("too small for a finger", element, `${px(rect.width)} × ${px(rect.height)} beside ${called(near.element)}`);
    }
  }
  return found;
}
