/**
 * The stepper: draws the payload of one backward pass and moves through its steps.
 *
 * The payload is documented in ipygrad/show/payload.py. All of its texts are plain text: they reach
 * the page only as text nodes and as attributes of a fixed list, never as markup. Every view below is
 * an object with an `element`, a `show(k)` that makes the element show step k and, where it may be too
 * small for all, a `scroll()` to the place of that step. What is shown is a function of k alone, so
 * that going back mirrors going forward.
 */

/** @typedef {{text: string, exact: string}} Num */
/** @typedef {[number, number, number, number]} Box */
/** @typedef {[number, number]} Point */
/** @typedef {Record<string, string | number | null>} Attributes */
/**
 * Parts of the payload, as documented there.
 * @typedef {any} Payload
 * @typedef {any} Step
 * @typedef {any} Product
 * @typedef {{text: string, math: MathTree}} Formula
 * @typedef {string | [string, ...MathTree[]]} MathTree
 */
/** @typedef {{function: number, variable: number, role: string, position: number,
 *   points: Point[], label: string, label_at: Point | null}} Edge */
/** @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *   send(message: object): void, on(event: string, callback: (...args: any[]) => void): void,
 *   off(event: string, callback: (...args: any[]) => void): void}} Model */
/** @typedef {(k: number, variable?: number) => void} Go and, with a variable, select it */
/** @typedef {(k: number, part: number, isCovered: boolean) => void} Show */

/** Time between two steps while playing at speed 1, ms, and the speeds. */
const PLAY_INTERVAL = 1200;
const SPEEDS = [0.5, 1, 2, 4];
/** A step opens into so many parts: local derivative, times what arrives, added. */
const PARTS = 3;
/** Widths below which captions take two lines, and from which text and plot, and then two products
 * stand side by side, px. */
const NARROW_PANEL = 620;
const WIDE_PANEL = 520;
const ROOMY_PANEL = 760;
/** A drawing is fitted to its panel, but not below this scale. */
const LEAST_SCALE = 0.8;
/** Longest text in a box, in columns; a wide letter takes two. */
const BOX_COLUMNS = 18;
/** Width of a column in bold, and on an edge, px. */
const COLUMN_WIDTH = 8;
const LABEL_COLUMN = 6.4;
/** Longest number on an edge, and between two boxes, in columns. */
const EDGE_COLUMNS = 12;
const GAP_COLUMNS = 5;
/** Letters that take two columns. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/;
/** How many long texts are tried for room; which is highest depends on line breaks. */
const LONGEST_TEXTS = 6;
/** Most products of a step that are shown as boxes; more are lines of text. */
const MOST_PRODUCTS = 3;
/** Height of a constant's line, as a share of a product's. */
const CONSTANT_ROW = 0.3;
/** Most boxes in one column of a neighbourhood. */
const MOST_BOXES = 8;
/** Longer tables show a window of rows, which moves on by WINDOW_STEP. */
const MOST_ROWS = 200;
const WINDOW_STEP = 50;
/** What a check found, as a sign. */
const SIGNS = { agrees: "✓", disagrees: "≠", not_checked: "–" };
/** The Lumino shortcuts of the notebook leave an element with this attribute alone. */
const SUPPRESS = "data-lm-suppress-shortcuts";

// ---------------------------------------------------------------- elements and texts

const ATTRIBUTES = new Set(
  `alt aria-current aria-disabled aria-hidden aria-label aria-level aria-pressed aria-valuetext class
  d data-text
  height lang lengthAdjust max min role rx scope src step tabindex text-anchor textLength title type
  viewBox width x y
  ${SUPPRESS}`.split(/\s+/),
);

/**
 * Set attributes; null removes one.
 * @param {Element} element
 * @param {Attributes} attributes
 */
function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) throw new Error(`the stepper sets no attribute ${name}`);
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, String(value));
  }
}

/**
 * A maker of elements: of a tag, with attributes and children.
 * @param {string} namespace
 * @returns {(tag: string, attributes?: Attributes, ...children: (Node | string)[]) => any}
 */
function maker(namespace) {
  return (tag, attributes = {}, ...children) => {
    const element = document.createElementNS(namespace, tag);
    put(element, attributes);
    element.append(...children);
    return element;
  };
}
const html = maker("http://www.w3.org/1999/xhtml");
const svg = maker("http://www.w3.org/2000/svg");
const mathml = maker("http://www.w3.org/1998/Math/MathML");

/** The only elements of formulas: some hold text, some hold others. */
const TOKENS = new Set(["mi", "mn", "mo", "mtext"]);
const SCHEMATA = new Set(["mrow", "msup", "msub", "msubsup", "mfrac", "msqrt", "mroot", "mover"]);

/**
 * Make an element of a formula; what is none of those above becomes text.
 * @param {MathTree} tree
 */
function mathNode(tree) {
  const [tag, ...children] = Array.isArray(tree) ? tree : ["mtext", tree];
  if (SCHEMATA.has(tag)) return mathml(tag, {}, ...children.map(mathNode));
  return mathml(TOKENS.has(tag) ? tag : "mtext", {}, children.flat(Infinity).join(" "));
}

/**
 * A formula, typeset, and as plain text for those who do not see it.
 * @param {Formula} formula
 */
const typeset = ({ text, math }) =>
  mathml("math", { class: "ipygrad-math", role: "math", "aria-label": text }, mathNode(math));

/**
 * Fill the {placeholders} of a template with texts or elements.
 * @param {string} template
 * @param {Record<string, string | number | Node>} values
 * @returns {(Node | string)[]}
 */
function fill(template, values) {
  return template.split(/\{(\w+)\}/).map((part, i) => {
    if (i % 2 === 0) return part;
    const value = values[part] ?? `{${part}}`;
    return value instanceof Node ? value : String(value);
  });
}

/**
 * How many columns a text takes.
 * @param {string} text
 */
const columnsOf = (text) => [...text].reduce((sum, c) => sum + (WIDE.test(c) ? 2 : 1), 0);

/**
 * Cut a text to a number of columns, the last of which is then an ellipsis.
 * @param {string} text
 * @param {number} columns
 */
function shorten(text, columns) {
  if (columnsOf(text) <= columns) return text;
  let free = columns - 1;
  let kept = "";
  for (const character of text) {
    free -= columnsOf(character);
    if (free < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/**
 * The longest of some texts, whose room is kept so that no step moves what stands below.
 * @param {string[]} texts
 */
function longest(texts) {
  const sized = [...new Set(texts)].map((text) => ({ text, width: columnsOf(text) }));
  sized.sort((a, b) => b.width - a.width);
  return sized.slice(0, LONGEST_TEXTS).map(({ text }) => text);
}

/**
 * Give an element focus by Tab without giving its keys to the notebook.
 * @template {Element} E
 * @param {E} element
 */
function focusable(element) {
  put(element, { [SUPPRESS]: "true" });
  return element;
}

/**
 * An HTML button.
 * @param {Attributes} attributes
 * @param {() => void} press
 * @param {...(Node | string)} children
 */
function button(attributes, press, ...children) {
  const element = focusable(html("button", { type: "button", ...attributes }, ...children));
  element.addEventListener("click", press);
  return element;
}

/**
 * Bring a box into the middle of its own scroller if it does not stand well inside.
 * @param {HTMLElement} scroller
 * @param {number[]} box
 */
function scrollInside(scroller, [x, y, width, height]) {
  const { clientWidth, clientHeight, scrollLeft, scrollTop } = scroller;
  const room = 48;
  if (x - room < scrollLeft || x + width + room > scrollLeft + clientWidth)
    scroller.scrollLeft = x + width / 2 - clientWidth / 2;
  if (y - room < scrollTop || y + height + room > scrollTop + clientHeight)
    scroller.scrollTop = y + height / 2 - clientHeight / 2;
}

// ---------------------------------------------------------------- the pass, prepared

/** What views ask about a payload, from arrays that are made once. */
class Pass {
  /** @param {Payload} payload */
  constructor(payload) {
    const { graph, steps, words, language, interfaces = {} } = payload;
    const own = navigator.language.slice(0, 2);
    this.payload = payload;
    this.variables = graph.variables;
    this.functions = graph.functions;
    this.steps = steps;
    this.last = steps.length - 1;

    /** For each variable, its additions in order.
     * @type {{step: number, product: Product}[][]} */
    this.additions = graph.variables.map(() => []);
    steps.forEach((step, k) => {
      for (const product of step.products)
        if (!product.constant) this.additions[product.variable].push({ step: k, product });
    });

    /** For each variable, the functions that use it, in order.
     * @type {number[][]} */
    this.users = graph.variables.map(() => []);
    const order = graph.functions.map((_, f) => f);
    const turn = (/** @type {number} */ f) => graph.functions[f].step ?? Infinity;
    order.sort((f, g) => turn(f) - turn(g) || f - g);
    for (const f of order)
      for (const v of new Set(graph.functions[f].inputs)) this.users[v].push(f);

    /** For each line of code, its functions' steps, in order.
     * @type {Map<number, number[]>} */
    this.lines = new Map();
    for (const f of order) {
      const { line, step } = graph.functions[f];
      if (line === null || step === null) continue;
      this.lines.set(line, [...(this.lines.get(line) ?? []), step]);
    }
    this.language = own in interfaces ? own : language;
    this.words = interfaces[own] ?? words;
  }

  /**
   * A text of the interface.
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  word(key, values = {}) {
    return fill(this.words[key] ?? key, values).join("");
  }

  /**
   * A variable's gradient after step k, or null.
   * @param {number} variable
   * @param {number} k
   */
  gradient(variable, k) {
    const additions = this.additions[variable];
    const latest = additions.findLast(({ step }) => step <= k);
    return latest ? latest.product.after : (additions[0]?.product.before ?? null);
  }

  /**
   * The state of a variable's gradient after step k: a key, and the number, if there is one.
   * @param {number} variable
   * @param {number} k
   */
  state(variable, k) {
    const { kind, creator, dropped } = this.variables[variable];
    const additions = this.additions[variable];
    const arrived = additions.filter(({ step }) => step <= k).length;
    const number = this.gradient(variable, k);
    const state = (/** @type {string} */ key) => ({ key, number, arrived, expected: additions.length });
    if (kind === "constant") return state("constant");
    if (!number) return state(additions.length > 0 ? "not_yet" : "unreached");
    if (arrived === 0) return state("left_over");
    if (arrived < additions.length) return state("waiting");
    const isUsed = creator === null || (this.functions[creator].step ?? Infinity) <= k;
    return state(dropped && isUsed ? "dropped" : "arrived");
  }

  /**
   * What to say of a part of a step; of the last, null. What is covered is not said.
   * @param {number} k
   * @param {number} part
   * @param {boolean} isCovered
   */
  told = (k, part, isCovered) =>
    part === PARTS ? null : (this.steps[k].parts[isCovered ? 0 : part - 1] ?? null);

  /**
   * The step in which a variable's gradient is complete; null where it gets none.
   * @param {number} variable
   */
  complete(variable) {
    const additions = this.additions[variable];
    return additions[0]?.step === 0 ? 0 : (additions.at(-1)?.step ?? null);
  }

  /**
   * The variables and the functions on the paths from a variable to the result.
   * @param {number} variable
   */
  onward(variable) {
    const variables = new Set([variable]);
    const functions = new Set();
    for (const v of variables) {
      for (const f of this.users[v]) {
        if (this.functions[f].step === null) continue;
        functions.add(f);
        for (const output of this.functions[f].outputs)
          if (output !== null && this.additions[output].length > 0) variables.add(output);
      }
    }
    return { variables, functions };
  }
}

/**
 * A number with its exact value on hover; a dash for one that is not there yet.
 * @param {Pass} pass
 * @param {Num | null} number
 */
function numeral(pass, number) {
  const title = number?.exact ?? pass.word("not_yet");
  return html("span", { class: "ipygrad-number", title }, number?.text ?? "–");
}

// ---------------------------------------------------------------- the graph

/**
 * @typedef {{width: number, height: number, variables: [number, Box][], functions: [number, Box][],
 *   edges: Edge[], more: {x: number, y: number, count: number}[], focus: Box | null}} Scene
 *   What is to be drawn: numbers of variables and functions with their boxes, and edges.
 */

/**
 * An arrow head.
 * @param {string} style
 * @param {Point} tip
 * @param {Point} from where its line comes from
 */
function arrowHead(style, [x, y], [fromX, fromY]) {
  const angle = Math.atan2(y - fromY, x - fromX);
  const corner = (/** @type {number} */ turn) =>
    `${(x - 8 * Math.cos(angle + turn)).toFixed(1)} ${(y - 8 * Math.sin(angle + turn)).toFixed(1)}`;
  return svg("path", { class: style, d: `M${x} ${y}L${corner(0.4)} ${corner(-0.4)}Z` });
}

/**
 * An edge: its curve, a head forward and, for a gradient to travel along, one backward.
 * @param {Edge} edge
 * @param {boolean} carries whether its variable takes a gradient from it
 */
function edgeGroup({ points, label, label_at: labelAt }, carries) {
  const at = points.map(([x, y]) => /** @type {Point} */ ([Number(x), Number(y)]));
  const [start, ...others] = at.map(([x, y]) => `${x} ${y}`);
  const d = `M${start}C${others.join(" ")}`;
  const forward = arrowHead("ipygrad-head", at[at.length - 1], at[at.length - 2]);
  const backward = carries ? [arrowHead("ipygrad-back", at[0], at[1])] : [];
  const curve = svg("path", { class: "ipygrad-curve", d });
  const group = svg("g", { class: "ipygrad-edge" }, curve, forward, ...backward);
  if (labelAt) {
    const [x, y] = labelAt.map(Number);
    const width = columnsOf(label) * LABEL_COLUMN;
    const paper = { class: "ipygrad-paper", x: x - width / 2, y: y - 7, width, height: 14 };
    const text = { class: "ipygrad-label", x, y: y + 4, "text-anchor": "middle" };
    group.append(svg("rect", paper), svg("text", text, label));
  }
  return group;
}

/**
 * The middle of an edge's piece that touches the variable of an input.
 * @param {Point[]} points
 * @returns {Point}
 */
function edgeMiddle(points) {
  const at = (/** @type {0 | 1} */ axis) =>
    [1, 3, 3, 1].reduce((sum, weight, i) => sum + (weight * Number(points[i][axis])) / 8, 0);
  return [at(0), at(1)];
}

/**
 * Draw a scene once; afterwards a step changes only the classes and texts that differ.
 * @param {Pass} pass
 * @param {Scene} scene
 * @param {Go} press
 */
function drawing(pass, scene, press) {
  const edges = svg("g", { "aria-hidden": "true" });
  const boxes = svg("g");
  const labels = svg("g", { "aria-hidden": "true" });
  const [width, height] = [Number(scene.width), Number(scene.height)];
  const element = svg(
    "svg",
    {
      class: "ipygrad-drawing",
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": pass.word("graph"),
    },
    edges,
    boxes,
    labels,
  );
  // As style, because style sheets of hosts scale every svg.
  element.style.width = `clamp(${LEAST_SCALE * width}px, 100%, ${width}px)`;

  const drawn = scene.edges.map((edge) => {
    const isConstant = pass.variables[edge.variable].kind === "constant";
    return { edge, group: edgeGroup(edge, edge.role === "input" && !isConstant) };
  });
  edges.append(...drawn.map(({ group }) => group));

  /**
   * @param {string} kind
   * @param {Box} box
   * @param {number} radius
   * @param {number | null} step the step that a press goes to
   * @param {number} [variable] the one that a press selects
   */
  function boxAt(kind, box, radius, step, variable) {
    const [x, y, width, height] = box.map(Number);
    const group = svg(
      "g",
      { class: `ipygrad-box ipygrad-${kind}`, role: step === null ? "img" : "button" },
      svg("rect", { class: "ipygrad-shape", x, y, width, height, rx: radius }),
    );
    if (step !== null) {
      put(focusable(group), { tabindex: 0 });
      group.addEventListener("click", () => press(step, variable));
      group.addEventListener("keydown", (event) => {
        if (!isPlain(event) || (event.key !== "Enter" && event.key !== " ")) return;
        event.preventDefault();
        event.stopPropagation();
        press(step, variable);
      });
    }
    return { group, x, middle: x + width / 2, centre: y + height / 2 };
  }

  /** @param {[number, Box]} entry */
  function variableBox([v, box]) {
    const { name, kind, value, shape, chain } = pass.variables[v];
    const { group, x, middle, centre } = boxAt(kind, box, 4, pass.complete(v), v);
    const row = (/** @type {string} */ style, /** @type {number} */ dy, text = "") => {
      const y = centre + dy;
      const attributes = { class: style, x: middle, y, lengthAdjust: "spacingAndGlyphs" };
      const line = svg("text", { ...attributes, "text-anchor": "middle" }, shorten(text, BOX_COLUMNS));
      group.append(line);
      return line;
    };
    row("ipygrad-name", -13, name);
    row("ipygrad-value", 5, value.text);
    const gradient = row("ipygrad-gradient", 23);
    const exact = `${name} = ${value.exact}${shape === "" ? "" : ` ${shape}`}`;
    const title = svg("title", {}, exact);
    group.append(title);
    if (chain) put(group, { "aria-pressed": "false" });
    let shown = "";
    return {
      group,
      x,
      /** @param {number} k */
      show(k) {
        const { key, number, arrived, expected } = pass.state(v, k);
        if (`${key} ${arrived}` === shown) return;
        shown = `${key} ${arrived}`;
        const told = (/** @type {string} */ form, /** @type {string | undefined} */ text) =>
          pass.word(`${form}_${key}`, { value: text ?? "", arrived, expected });
        gradient.textContent = shorten(told("box", number?.text), BOX_COLUMNS);
        // Boxes are made for values: a longer gradient is written more closely.
        const room = Number(box[2]) - 8;
        const isLong = columnsOf(gradient.textContent) * COLUMN_WIDTH > room;
        put(gradient, { textLength: isLong ? room : null });
        group.classList.toggle("ipygrad-waiting", key !== "arrived");
        title.textContent = `${exact}\n${told("state", number?.exact)}`;
        const state = told("state", number?.text);
        put(group, { "aria-label": pass.word("variable_label", { name, value: value.text, state }) });
      },
    };
  }

  /** @param {[number, Box]} entry */
  function functionBox([f, box]) {
    const { label, source, step } = pass.functions[f];
    const { group, x, middle, centre } = boxAt("function", box, 17, step);
    const at = { x: middle, y: centre + 4.5, "text-anchor": "middle" };
    const title = svg("title", {}, source ?? label);
    group.append(svg("text", at, shorten(label, BOX_COLUMNS)), title);
    const key = step === null ? "function_unused_label" : "function_label";
    let name = pass.word(key, { label, step: step ?? "" });
    const check = step === null ? null : pass.steps[step]?.check;
    if (check?.status === "disagrees") {
      const [right, top] = [x + Number(box[2]) - 3, Number(box[1]) + 3];
      const dot = { class: "ipygrad-shape", x: right - 9, y: top - 9, width: 18, height: 18, rx: 9 };
      const sign = svg("text", { x: right, y: top + 5, "text-anchor": "middle" }, SIGNS.disagrees);
      group.append(svg("g", { class: "ipygrad-badge" }, svg("rect", dot), sign));
      title.textContent += `\n${check.text}`;
      name += `, ${pass.word("disagrees")}`;
    }
    put(group, { "aria-label": name });
    return {
      group,
      x,
      /** @param {number} k */
      show: (k) => group.classList.toggle("ipygrad-done", step !== null && step <= k),
    };
  }

  const variables = new Map(scene.variables.map((entry) => [entry[0], variableBox(entry)]));
  const functions = new Map(scene.functions.map((entry) => [entry[0], functionBox(entry)]));
  const all = [...variables.values(), ...functions.values()];
  // In the document, and so for Tab, boxes stand as the computation ran: from left to right.
  boxes.append(...[...all].sort((a, b) => a.x - b.x).map(({ group }) => group));
  for (const { x, y, count } of scene.more) {
    const at = { class: "ipygrad-more", x, y, "text-anchor": "middle" };
    boxes.append(svg("text", at, pass.word("more", { count })));
  }

  /** @param {Step} step */
  function contributions(step) {
    /** @type {{x: number, y: number, number: Num}[]} */
    const found = [];
    for (const edge of scene.edges) {
      if (edge.function !== step.function) continue;
      const number = step.products[edge.position]?.contribution;
      // Where the shape of an array stands, there is no room for its elements.
      if (edge.role !== "input" || edge.label || !number) continue;
      const [x, y] = edgeMiddle(edge.points);
      found.push({ x, y, number });
    }
    found.sort((a, b) => a.y - b.y);
    let free = -Infinity;
    return found.map(({ x, y, number }, i) => {
      const text = shorten(number.text, EDGE_COLUMNS);
      // Above an edge, and below those of the lower half of a bundle. A long one begins at the
      // variable's box and passes above the function's.
      const isBelow = i > 0 && i >= found.length / 2;
      const isLong = text.length > GAP_COLUMNS;
      const above = isLong && found.length === 1 ? -22 : -8;
      const at = Math.max(y + (isBelow ? 16 : above), free);
      free = at + 15;
      const place = isLong ? { x: x - 22, "text-anchor": "start" } : { x, "text-anchor": "middle" };
      return svg("text", { class: "ipygrad-contribution", y: at, ...place }, text);
    });
  }

  const light = (/** @type {Element} */ group, /** @type {boolean} */ isNow) => {
    group.classList.toggle("ipygrad-now", isNow);
    put(group, { "aria-current": isNow ? "step" : null });
  };

  return {
    element,
    /**
     * Where a box of the scene stands in the element as it is scaled, px.
     * @param {Box} box
     */
    scaled: (box) => box.map((length) => (Number(length) * element.clientWidth) / width),
    /**
     * @param {number} k
     * @param {number} part before the last, nothing has been added yet
     * @param {boolean} isCovered
     */
    show(k, part, isCovered) {
      const step = pass.steps[k];
      const isAdded = part === PARTS;
      const waiting = isAdded ? (step.waiting?.functions ?? []) : [];
      for (const box of all) box.show(isAdded ? k : k - 1);
      const isStart = step.function === null;
      const changed = new Set(step.products.flatMap((p) => (p.constant || !isAdded ? [] : p.variable)));
      for (const { edge, group } of drawn)
        group.classList.toggle("ipygrad-now", edge.function === step.function);
      for (const [f, { group }] of functions) {
        light(group, f === step.function);
        group.classList.toggle("ipygrad-queued", waiting.includes(f));
      }
      for (const [v, { group }] of variables) {
        group.classList.toggle("ipygrad-changed", changed.has(v));
        light(group, isStart && changed.has(v));
      }
      labels.replaceChildren(...(part > 1 && !isCovered ? contributions(step) : []));
    },
    /**
     * Mark a variable and its paths to the result.
     * @param {number | null} selected
     */
    select(selected) {
      for (const [v, { group }] of variables)
        if (pass.variables[v].chain) put(group, { "aria-pressed": String(v === selected) });
      const path = selected === null ? null : pass.onward(selected);
      for (const { edge, group } of drawn) {
        const isOn = path?.functions.has(edge.function) && path.variables.has(edge.variable);
        group.classList.toggle("ipygrad-path", Boolean(isOn));
      }
    },
  };
}

/**
 * The function at the centre of a step and, for the start, the creator of the result.
 * @param {Pass} pass
 * @param {number} k
 */
function centreOf(pass, k) {
  const { function: f, products } = pass.steps[k];
  return f ?? (products.length > 0 ? pass.variables[products[0].variable].creator : null);
}

/**
 * The columns around a step's function, from left to right, in numbers of functions and variables.
 * @param {Pass} pass
 * @param {number} k
 */
function neighbours(pass, k) {
  const f = centreOf(pass, k);
  const start = pass.steps[k].products.map(({ variable }) => variable);
  const inputs = f === null ? [] : [...new Set(pass.functions[f].inputs)];
  const outputs = f === null ? start : pass.functions[f].outputs.filter((v) => v !== null);
  const creators = inputs.slice(0, MOST_BOXES).flatMap((v) => pass.variables[v].creator ?? []);
  const users = outputs.slice(0, MOST_BOXES).flatMap((v) => pass.users[v]);
  return [[...new Set(creators)], inputs, f === null ? [] : [f], outputs, [...new Set(users)]];
}

/** Sizes in a neighbourhood, px. */
const VARIABLE_SIZE = [140, 62];
const FUNCTION_SIZE = [116, 34];
const COLUMN_GAP = 52;
const ROW_GAP = 12;
const MARGIN = 12;
/** Most height that is kept for a neighbourhood; a higher one is scrolled. */
const MOST_HEIGHT = 420;

/**
 * The height that a column of a neighbourhood takes.
 * @param {number} column its number, the variables being in 1 and 3
 * @param {number} count how many boxes it has
 */
function columnHeight(column, count) {
  const [, height] = column % 2 === 1 ? VARIABLE_SIZE : FUNCTION_SIZE;
  const rows = Math.min(count, MOST_BOXES);
  return rows * (height + ROW_GAP) + (count > MOST_BOXES ? 8 : -ROW_GAP);
}

/**
 * Where the boxes and edges of a neighbourhood stand.
 * @param {Pass} pass
 * @param {number} k
 * @param {number} least the least height of the drawing, px
 * @returns {Scene}
 */
function neighbourhood(pass, k, least) {
  const columns = neighbours(pass, k);
  const heights = columns.map((members, column) => columnHeight(column, members.length));
  const height = Math.max(least, 2 * MARGIN + Math.max(...heights));
  let x = MARGIN;
  /** @type {Scene["more"]} */
  const more = [];
  const placed = columns.map((members, column) => {
    const [boxWidth, boxHeight] = column % 2 === 1 ? VARIABLE_SIZE : FUNCTION_SIZE;
    const left = x;
    x += boxWidth + COLUMN_GAP;
    const top = (height - heights[column]) / 2;
    const hidden = members.length - MOST_BOXES;
    const below = top + MOST_BOXES * (boxHeight + ROW_GAP) + 6;
    if (hidden > 0) more.push({ x: left + boxWidth / 2, y: below, count: hidden });
    return members.slice(0, MOST_BOXES).map((member, row) => {
      const y = top + row * (boxHeight + ROW_GAP);
      return /** @type {[number, Box]} */ ([member, [left, y, boxWidth, boxHeight]]);
    });
  });
  const variables = new Map([...placed[1], ...placed[3]]);
  const functions = new Map([...placed[0], ...placed[2], ...placed[4]]);
  /** @type {Edge[]} */
  const edges = [];
  for (const [f, at] of functions) {
    /** @type {(role: string, ends: (number | null)[]) => void} */
    const connect = (role, ends) =>
      ends.forEach((v, position) => {
        const box = v === null ? undefined : variables.get(v);
        if (v === null || !box) return;
        const port = at[1] + (at[3] * (position + 1)) / (ends.length + 1);
        const [from, to] =
          role === "input"
            ? [[box[0] + box[2], box[1] + box[3] / 2], [at[0], port]]
            : [[at[0] + at[2], port], [box[0], box[1] + box[3] / 2]];
        if (to[0] <= from[0]) return;
        const middle = (from[0] + to[0]) / 2;
        const points = /** @type {Point[]} */ ([from, [middle, from[1]], [middle, to[1]], to]);
        edges.push({ function: f, variable: v, role, position, points, label: "", label_at: null });
      });
    connect("input", pass.functions[f].inputs);
    connect("output", pass.functions[f].outputs);
  }
  const width = x - COLUMN_GAP + MARGIN;
  const focus = placed[2][0]?.[1] ?? placed[3][0]?.[1] ?? null;
  return { width, height, variables: [...variables], functions: [...functions], edges, more, focus };
}

/**
 * The graph in its scroller: laid out as a whole, or, when it is too large, around each step.
 * @param {Pass} pass
 * @param {Go} press
 */
function graphView(pass, press) {
  const { graph } = pass.payload;
  const element = focusable(html("div", { class: "ipygrad-graph" }));
  const boxed = (/** @type {{box: Box | null}[]} */ nodes) =>
    nodes.flatMap(({ box }, i) => (box ? [/** @type {[number, Box]} */ ([i, box])] : []));
  /** @type {Box | null} */
  let focus = null;

  if (graph.width !== null && graph.height !== null) {
    const { width, height, edges } = graph;
    const [variables, functions] = [boxed(graph.variables), boxed(graph.functions)];
    const scene = { width, height, edges, variables, functions, more: [], focus: null };
    const whole = drawing(pass, scene, press);
    element.append(whole.element);
    return {
      element,
      /** @type {Show} */
      show(k, part, isCovered) {
        const { function: f, products } = pass.steps[k];
        whole.show(k, part, isCovered);
        focus = f === null ? (graph.variables[products[0]?.variable]?.box ?? null) : graph.functions[f].box;
      },
      select: whole.select,
      scroll: () => focus && scrollInside(element, whole.scaled(focus)),
    };
  }

  /** @type {ReturnType<typeof drawing>} */
  let drawn;
  /** @type {number | null} */
  let selected = null;
  let tallest = 0;
  // One height for all steps, so that the controls below keep their place.
  pass.steps.forEach((_, k) =>
    neighbours(pass, k).forEach((members, column) => {
      tallest = Math.max(tallest, columnHeight(column, members.length));
    }),
  );
  const height = Math.min(tallest + 2 * MARGIN, MOST_HEIGHT);
  element.style.height = `${height + 10}px`;
  return {
    element,
    /** @type {Show} */
    show(k, part, isCovered) {
      const scene = neighbourhood(pass, k, height);
      drawn = drawing(pass, scene, press);
      drawn.show(k, part, isCovered);
      drawn.select(selected);
      // A focused box that goes away would leave its keys to the notebook.
      const focused = element.contains(activeElement(element));
      element.replaceChildren(drawn.element);
      focus = scene.focus;
      if (focused) {
        const next =
          drawn.element.querySelector("[aria-current]") ?? drawn.element.querySelector("[tabindex]");
        if (next instanceof SVGElement) next.focus({ preventScroll: true });
      }
    },
    /** @param {number | null} v */
    select: (v) => drawn.select((selected = v)),
    scroll: () => focus && scrollInside(element, drawn.scaled(focus)),
  };
}

// ---------------------------------------------------------------- code, step, plot, table

/**
 * The cell's code; lines that called a function are buttons.
 * @param {Pass} pass
 * @param {() => number} now the step that is shown
 * @param {Go} press
 */
function codeView(pass, now, press) {
  const { first, lines } = pass.payload.code ?? { first: 1, lines: [] };
  const list = html("div", { class: "ipygrad-lines", role: "list" });
  const scroller = focusable(
    html("div", { class: "ipygrad-code", role: "group", "aria-label": pass.word("code") }, list),
  );
  const element = html("div", { class: "ipygrad-code-panel" }, scroller);
  const rows = lines.map((text, i) => {
    const line = Number(first) + i;
    const parts = [
      html("span", { class: "ipygrad-line-number" }, String(line)),
      html("span", { class: "ipygrad-line-text" }, text),
    ];
    const steps = pass.lines.get(line);
    const row = steps
      ? button(
          { class: "ipygrad-line" },
          () => press(steps[(steps.indexOf(now()) + 1) % steps.length]),
          ...parts,
        )
      : html("span", { class: "ipygrad-line" }, ...parts);
    list.append(html("div", { role: "listitem" }, row));
    return row;
  });
  /** @type {HTMLElement | undefined} */
  let lit;
  return {
    element,
    /** @param {number} k */
    show(k) {
      const { line } = pass.steps[k];
      if (lit) put(lit, { "aria-current": null });
      lit = line === null ? undefined : rows[line - Number(first)];
      if (lit) put(lit, { "aria-current": "step" });
    },
    scroll() {
      if (!lit || scroller.scrollHeight <= scroller.clientHeight) return;
      const { offsetTop, offsetHeight } = lit;
      scrollInside(scroller, [scroller.scrollLeft + 48, offsetTop, 0, offsetHeight]);
    },
  };
}

/**
 * Whether a prediction is right: the sign, or the number within two digits.
 * @param {string} said
 * @param {Num} number
 */
function isForetold(said, { exact }) {
  const value = Number(exact);
  const sign = { "+": 1, "-": -1, "−": -1 }[said];
  if (sign) return Math.sign(value) === sign;
  const room = value === 0 ? 0 : 0.501 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return Math.abs(Number(said.replace("−", "-").replace(",", ".")) - value) <= room;
}

/**
 * One step in numbers and words.
 * @param {Pass} pass
 * @param {() => void} reveal what to do when a prediction is made
 */
function stepView(pass, reveal) {
  const { steps } = pass;
  const heading = html("span", { role: "heading", "aria-level": 3 });
  const held = (/** @type {Step} */ { name, value }) => `${name} = ${value.text}`;
  /** @type {Record<string, (step: Step) => string>} */
  const texts = {
    sentence: (step) => step.sentence,
    notes: (step) => step.notes.join(" "),
    turns: ({ waiting }) => (waiting ? [waiting.text, ...waiting.lines].join("\n") : ""),
    check: ({ check }) => (check ? `${SIGNS[check.status]} ${check.text}` : ""),
    source: ({ source }) => (source ? [...source.lines, "", ...source.values.map(held)].join("\n") : ""),
  };
  const parts = Object.entries(texts).flatMap(([name, of]) =>
    steps.some(of) ? { name, of, text: html(name === "source" ? "pre" : "span") } : [],
  );

  /**
   * A text with the room that the longest of all steps takes.
   * @param {HTMLElement} text
   * @param {(step: Step) => string} of
   * @param {string} style
   */
  function sized(text, of, style) {
    const ghosts = longest(steps.map(of)).map((ghost) =>
      html(text.localName, { class: "ipygrad-ghost", "data-text": ghost, "aria-hidden": "true" }),
    );
    return focusable(html("div", { class: `ipygrad-sized ${style}` }, text, ...ghosts));
  }

  // Room for the boxes of any step that has boxes; longer lists scroll in the same room.
  const isList = (/** @type {Step} */ step) => step.products.length > MOST_PRODUCTS;
  const rowsOf = (/** @type {Step} */ step) =>
    step.products.reduce((rows, { constant }) => rows + (constant ? CONSTANT_ROW : 1), 0);
  const boxed = steps.filter((step) => !isList(step));
  const most = Math.max(...boxed.map((step) => step.products.length));
  const products = focusable(html("div", { class: "ipygrad-products" }));
  const having = (/** @type {string} */ part) =>
    Math.max(...boxed.map(({ products }) => products.filter((product) => product[part]).length));
  const sums = having("summed");
  products.classList.toggle("ipygrad-pairs", most > 1);
  products.classList.toggle("ipygrad-with-formulas", having("formula") > 0);
  products.classList.toggle("ipygrad-with-equations", having("equation") > 0);
  const counts = {
    "rows-of-one": Math.max(...boxed.map(rowsOf)),
    "rows-of-pairs": Math.ceil(most / 2),
    "sums-of-one": sums,
    "sums-of-pairs": Math.min(sums, Math.ceil(most / 2)),
  };
  for (const [name, count] of Object.entries(counts))
    products.style.setProperty(`--ipygrad-${name}`, String(count));

  // The label is what a screen reader says instead.
  const sign = (/** @type {string} */ text, label = "") =>
    html("span", { class: "ipygrad-sign", ...(label && { role: "img", "aria-label": label }) }, text);
  /**
   * @param {string} caption
   * @param {Num | null} number
   * @param {string} [style]
   * @param {Formula | null} [formula]
   */
  const factor = (caption, number, style = "", formula = null) =>
    html(
      "span",
      { class: `ipygrad-factor ${style}` },
      html("span", { class: "ipygrad-caption", title: caption }, caption),
      html("span", { class: "ipygrad-amount" }, numeral(pass, number), formula ? typeset(formula) : ""),
    );

  /** What the learner has predicted, for each product of each step.
   * @type {string[][]} */
  const predicted = [];

  /**
   * A field for the number that is covered.
   * @param {string} name
   */
  function field(name) {
    const label = pass.word("predict", { name });
    const input = focusable(html("input", { class: "ipygrad-field", title: label, "aria-label": label }));
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && isPlain(event)) reveal();
    });
    return input;
  }

  /**
   * What to say of a prediction, if one was made.
   * @param {string | undefined} said
   * @param {Num} number
   */
  function verdict(said, number) {
    if (!said) return "";
    const key = isForetold(said, number) ? "foretold" : "not_foretold";
    return html("span", { class: `ipygrad-${key}` }, pass.word(key, { said }));
  }

  /**
   * @param {Product} product
   * @param {number} i its place in the step
   * @param {number} k
   * @param {boolean} isCovered
   */
  function productRow(product, i, k, isCovered) {
    const { name, constant, holds, arriving, local, contribution, before, after, summed } = product;
    const row = html("div", { class: "ipygrad-product", role: "group", "aria-label": name });
    if (constant) {
      const text = pass.word("no_gradient", { name });
      row.append(html("div", { class: "ipygrad-sum ipygrad-none" }, text));
      return row;
    }
    const isStart = arriving === null;
    const caption = pass.word(isStart ? "start" : "contribution", { name });
    const result = factor(caption, contribution, "ipygrad-result");
    const amount = result.lastElementChild;
    if (isCovered) amount.replaceChildren(Number.isFinite(Number(contribution.exact)) ? field(name) : "?");
    else amount.append(verdict(predicted[k]?.[i], contribution));
    const factors = [
      factor(pass.word("arriving"), arriving),
      sign("×"),
      factor(pass.word("local"), local, "ipygrad-local", product.formula),
      holds ? sign("=") : sign("≠", pass.word("not_equal")),
    ];
    if (summed) factors.push(factor(pass.word("product"), summed.before), sign("→", summed.text));
    const change = { before: numeral(pass, before), after: numeral(pass, after) };
    const sum = isStart ? [] : fill(pass.words.added, change);
    const exact = after && isRounded(after) ? pass.word("exactly", { value: after.exact }) : "";
    const style = summed ? "ipygrad-equation ipygrad-summed" : "ipygrad-equation";
    row.append(html("div", { class: style }, ...(isStart ? [] : factors), result));
    if (product.equation)
      row.append(focusable(html("div", { class: "ipygrad-working" }, typeset(product.equation))));
    row.append(
      html(
        "div",
        { class: "ipygrad-sum" },
        ...(summed ? [html("span", { class: "ipygrad-change" }, summed.text)] : []),
        html("span", { class: "ipygrad-change" }, ...sum),
        html("span", { class: "ipygrad-exact" }, exact),
      ),
    );
    return row;
  }

  return {
    heading: sized(heading, (step) => step.heading, "ipygrad-heading"),
    products,
    text: html(
      "div",
      { class: "ipygrad-text" },
      ...parts.map(({ name, of, text }) => sized(text, of, `ipygrad-${name}`)),
    ),
    /** Keep what is written in the fields; an empty text for each other product. */
    predict: (/** @type {number} */ k) => {
      predicted[k] = [...products.children].map((row) => row.querySelector("input")?.value.trim() ?? "");
    },
    /** @type {Show} */
    show(k, part, isCovered) {
      const step = steps[k];
      heading.textContent = step.heading;
      for (const { name, of, text } of parts) {
        text.textContent = of(step);
        if (name === "sentence") text.textContent = pass.told(k, part, isCovered) ?? step.sentence;
        if (name === "check") put(text, { class: step.check && `ipygrad-${step.check.status}` });
      }
      products.classList.toggle("ipygrad-list", isList(step));
      products.replaceChildren(
        ...step.products.map((/** @type {Product} */ product, /** @type {number} */ i) =>
          productRow(product, i, k, isCovered),
        ),
      );
    },
    scroll() {
      products.scrollTop = 0;
    },
  };
}

/**
 * The chain rule for the selected variable: a line for each path to the result, and their sum.
 * @param {Pass} pass
 * @param {() => void} close
 */
function chainView(pass, close) {
  const name = pass.word("chain");
  const body = focusable(html("div", { class: "ipygrad-paths" }));
  const element = html(
    "div",
    { class: "ipygrad-chain", role: "region", "aria-label": name },
    body,
    control(pass, "close", close),
  );
  return {
    element,
    /** @param {number | null} selected */
    select(selected) {
      const chain = selected === null ? null : pass.variables[selected].chain;
      element.hidden = !chain;
      if (!chain) return;
      const { heading, paths, more, total } = chain;
      const row = { class: "ipygrad-route", role: "listitem" };
      const list = html("div", { role: "list" });
      for (const path of paths) list.append(html("div", row, typeset(path)));
      if (more) list.append(html("div", row, more));
      if (total) list.append(html("div", { ...row, class: "ipygrad-total" }, typeset(total)));
      body.replaceChildren(html("b", {}, `${name}: `, typeset(heading)), list);
    },
  };
}

/**
 * Whether a number is shown with fewer digits than it has; false for arrays.
 * @param {Num} number
 */
const isRounded = ({ text, exact }) => Number.isFinite(Number(exact)) && Number(text) !== Number(exact);

/**
 * The card of the plots, or words in the same room.
 *
 * A plot has a column for each input that takes a gradient, each an image of its own: they stand side
 * by side or, where there is no room, below one another.
 *
 * @param {Pass} pass
 */
function plotView(pass) {
  const curves = (/** @type {Step} */ { products }) =>
    products.filter(({ local, constant }) => local !== null && !constant).length;
  const most = Math.max(...pass.steps.map((step) => (step.picture ? curves(step) : 0)));
  const element = focusable(html("div", { class: "ipygrad-plot" }));
  /** Kept for all steps, because an image shows its old picture until it has the new one.
   * @type {HTMLImageElement[]} */
  const images = [];
  const view = {
    element: most > 0 ? element : null,
    isPair: most > 1,
    /**
     * Show a plot, or words where there is none.
     * @param {string | null} plot an SVG document
     * @param {string} words what to say without one
     * @param {Step} step
     */
    show(plot, words, step) {
      element.classList.toggle("ipygrad-empty", plot === null);
      if (plot === null) {
        element.replaceChildren(words);
        return;
      }
      const count = Math.max(1, curves(step));
      const src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(plot)}`;
      const alt = pass.word("plot", { heading: step.heading });
      for (let i = 0; i < count; i += 1) {
        const image = (images[i] ??= html("img", { class: "ipygrad-image" }));
        put(image, { src, alt: i === 0 ? alt : "" });
        image.classList.toggle("ipygrad-column", count > 1);
        image.style.objectPosition = count > 1 ? `${(100 * i) / (count - 1)}%` : "";
        // A picture that cannot be drawn is none.
        image.onerror = () => view.show(null, pass.word("plot_none"), step);
      }
      element.replaceChildren(...images.slice(0, count));
    },
  };
  return view;
}

/**
 * The whole pass as a table, folded away; made when it is first opened.
 * @param {Pass} pass
 * @param {Go} press
 */
function tableView(pass, press) {
  const { columns, rows, row_steps: rowSteps } = pass.payload.table;
  const body = html("tbody");
  const head = html("tr", {}, ...columns.map((text) => html("th", { scope: "col" }, text)));
  const table = html("table", { class: "ipygrad-table" }, html("thead", {}, head), body);
  const box = focusable(html("div", { class: "ipygrad-table-box" }, table));
  const summary = focusable(html("summary", {}, pass.word("table")));
  const element = html("details", { class: "ipygrad-details" }, summary, box);
  /** @type {number[]} */
  const firstRow = [];
  rowSteps.forEach((k, i) => (firstRow[k] ??= i));
  const isLarge = rows.length > MOST_ROWS;

  /** @param {number} i */
  function tableRow(i) {
    const k = rowSteps[i];
    const [first = "", ...others] = rows[i];
    const label = pass.word("go", { step: k });
    const go = button({ class: "ipygrad-go", "aria-label": label }, () => {}, first);
    const row = html(
      "tr",
      { class: "ipygrad-row" },
      html("td", {}, go),
      ...others.map((text) => html("td", {}, text)),
    );
    row.addEventListener("click", () => press(k));
    return row;
  }
  const gap = (/** @type {number} */ count) => {
    const text = html("td", {}, pass.word("more", { count }));
    text.colSpan = columns.length;
    return count > 0 ? [html("tr", { class: "ipygrad-row ipygrad-gap" }, text)] : [];
  };

  /** @type {Map<number, HTMLTableRowElement[]>} */
  let rowsOf = new Map();
  let drawnFrom = -1;
  /** @type {HTMLElement[]} */
  let lit = [];
  let shown = 0;

  /** Draw the window of rows that the step's row stands in, if it is not the one drawn. */
  function drawRows() {
    const row = firstRow[shown] ?? 0;
    const start = isLarge ? WINDOW_STEP * Math.floor(row / WINDOW_STEP) : 0;
    if (start === drawnFrom) return;
    drawnFrom = start;
    const from = Math.max(0, start - WINDOW_STEP / 2);
    const to = isLarge ? Math.min(rows.length, start + 1.5 * WINDOW_STEP) : rows.length;
    const focused = body.contains(activeElement(body));
    rowsOf = new Map();
    const drawn = [];
    for (let i = from; i < to; i += 1) {
      drawn.push(tableRow(i));
      rowsOf.set(rowSteps[i], [...(rowsOf.get(rowSteps[i]) ?? []), drawn[drawn.length - 1]]);
    }
    body.replaceChildren(...gap(from), ...drawn, ...gap(rows.length - to));
    if (focused) rowsOf.get(shown)?.[0].querySelector("button")?.focus({ preventScroll: true });
  }

  const view = {
    element,
    /** @param {number} k */
    show(k) {
      shown = k;
      if (!element.open) return;
      drawRows();
      for (const row of lit) put(row, { "aria-current": null });
      lit = rowsOf.get(k) ?? [];
      for (const row of lit) put(row, { "aria-current": "step" });
    },
    scroll() {
      const [row] = lit;
      if (!row || !element.open) return;
      scrollInside(box, [box.scrollLeft + 48, row.offsetTop, 0, row.offsetHeight]);
    },
  };
  element.addEventListener("toggle", () => {
    view.show(shown);
    view.scroll();
  });
  return view;
}

// ---------------------------------------------------------------- controls

const ICONS = {
  first: "M4 3v10M12 3 6 8l6 5",
  previous: "M10.5 3 5 8l5.5 5",
  play: "M5 3l8 5-8 5z",
  pause: "M5.5 3v10M10.5 3v10",
  next: "M5.5 3 11 8l-5.5 5",
  last: "M12 3v10M4 3l6 5-6 5",
  close: "M4 4l8 8M12 4l-8 8",
};

/**
 * A button with an icon, which does nothing while it is disabled.
 * @param {Pass} pass
 * @param {keyof typeof ICONS} key
 * @param {() => void} press
 */
function control(pass, key, press) {
  const name = pass.word(key);
  const icon = svg("path", { d: ICONS[key] });
  const element = button(
    { class: `ipygrad-button ipygrad-${key}`, "aria-label": name, title: name },
    () => element.getAttribute("aria-disabled") !== "true" && press(),
    svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, icon),
  );
  return element;
}

/**
 * Buttons, the slider, where we are, and what a screen reader announces.
 * @param {Pass} pass
 * @param {{now: () => number, press: Go, toggle: () => void, open: Go, hurry: (speed: number) => void}}
 *   actions to open is to go to a part of this step
 */
function controlsView(pass, { now, press, toggle, open, hurry }) {
  const { last } = pass;
  const first = control(pass, "first", () => press(0));
  const previous = control(pass, "previous", () => press(now() - 1));
  const play = control(pass, "play", toggle);
  const next = control(pass, "next", () => press(now() + 1));
  const end = control(pass, "last", () => press(last));
  const slider = focusable(
    html("input", { type: "range", min: 0, max: last, step: 1, "aria-label": pass.word("step") }),
  );
  slider.addEventListener("input", () => press(Number(slider.value)));
  const position = html("span", { class: "ipygrad-position", "aria-hidden": "true" });
  const options = SPEEDS.map((speed) => new Option(`${speed}×`, String(speed), speed === 1, speed === 1));
  const speed = focusable(html("select", { "aria-label": pass.word("speed") }, ...options));
  speed.addEventListener("change", () => hurry(Number(speed.value)));
  const row = [first, previous, play, next, end, slider, position, speed];
  const parts = ["part_local", "part_product", "part_added"].map((key, i) =>
    button({ class: "ipygrad-part" }, () => now() > 0 && open(i + 1), pass.word(key)),
  );
  const element = html("div", { class: "ipygrad-controls" }, ...row);
  const status = html("div", { class: "ipygrad-status", role: "status" });
  const unable = (/** @type {Element} */ control, /** @type {boolean} */ is) =>
    put(control, { "aria-disabled": is ? "true" : null });
  unable(play, last === 0);
  return {
    element,
    status,
    play,
    parts: html("div", { class: "ipygrad-parts", role: "group", "aria-label": pass.word("parts") }, ...parts),
    /** @type {Show} */
    show(k, part, isCovered) {
      slider.value = String(k);
      const told = pass.told(k, part, isCovered) ?? pass.steps[k].status;
      put(slider, { "aria-valuetext": told });
      position.textContent = pass.word("position", { step: part < PARTS ? `${k}.${part}` : k, last });
      status.textContent = told;
      parts.forEach((control, i) => {
        unable(control, k === 0);
        put(control, { "aria-current": k > 0 && i + 1 === part ? "step" : null });
      });
      for (const control of [first, previous]) unable(control, k === 0);
      for (const control of [next, end]) unable(control, k === last && !isCovered);
    },
    /** @param {boolean} playing */
    showPlaying(playing) {
      const key = playing ? "pause" : "play";
      put(play, { "aria-label": pass.word(key), title: pass.word(key) });
      const path = play.querySelector("path");
      if (path) put(path, { d: ICONS[key] });
    },
    focus: () => slider.focus({ preventScroll: true }),
  };
}

// ---------------------------------------------------------------- keys

/**
 * @param {KeyboardEvent} event
 * @param {boolean} [mayShift]
 */
const isPlain = ({ ctrlKey, metaKey, altKey, shiftKey }, mayShift = false) =>
  !ctrlKey && !metaKey && !altKey && (mayShift || !shiftKey);

/**
 * The focused element, also when the stepper stands in a shadow tree.
 * @param {Element} element
 */
function activeElement(element) {
  const tree = element.getRootNode();
  return tree instanceof ShadowRoot || tree instanceof Document ? tree.activeElement : null;
}

/**
 * Keys of the stepper, wherever inside it the focus is. A control keeps the keys that are its own,
 * but the notebook around gets none of them.
 * @param {HTMLElement} root
 * @param {{now: () => number, last: () => number, press: Go, toggle: () => void,
 *   turn: (by: number) => void}} actions to turn is to go by parts of steps
 */
function listenToKeys(root, { now, last, press, toggle, turn }) {
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowLeft: () => press(now() - 1),
    ArrowRight: () => press(now() + 1),
    ShiftArrowLeft: () => turn(-1),
    ShiftArrowRight: () => turn(1),
    Home: () => press(0),
    End: () => press(last()),
    " ": toggle,
  };
  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const { target } = event;
    if (event.defaultPrevented || event.isComposing || !(target instanceof Element)) return;
    const isPart = event.shiftKey && event.key.startsWith("Arrow");
    if (!isPlain(event, isPart)) return;
    if (target.closest("input:not([type=range]), textarea, select, [contenteditable]")) return;
    const isPress = event.key === " " || event.key === "Enter";
    const isOwn = isPress
      ? target.closest("button, summary, a") !== null
      : target instanceof HTMLInputElement && !isPart;
    const action = actions[isPart ? `Shift${event.key}` : event.key];
    if (!action && !isOwn) return;
    event.stopPropagation();
    if (isOwn) return;
    event.preventDefault();
    action();
  }

  /**
   * Chords and Escape are the notebook's: it has to see them on an element that does not say no.
   * @param {KeyboardEvent} event
   */
  function lift(event) {
    const [target] = event.composedPath();
    const isChord = event.ctrlKey || event.metaKey || event.altKey;
    const isNotebooks = isChord || event.key === "Escape" || (event.shiftKey && event.key === "Enter");
    if (!isNotebooks || !(target instanceof Element) || !root.contains(target)) return;
    if (!target.hasAttribute(SUPPRESS)) return;
    put(target, { [SUPPRESS]: null });
    setTimeout(() => put(target, { [SUPPRESS]: "true" }));
  }
  const gone = new AbortController();
  const { signal } = gone;
  const listen = () => window.addEventListener("keydown", lift, true);
  const ignore = () => window.removeEventListener("keydown", lift, true);
  const onFocusOut = (/** @type {FocusEvent} */ { relatedTarget }) => {
    if (!(relatedTarget instanceof Node && root.contains(relatedTarget))) ignore();
  };
  root.addEventListener("keydown", onKey, { signal });
  root.addEventListener("focusin", listen, { signal });
  root.addEventListener("focusout", onFocusOut, { signal });
  return {
    ignore,
    stop() {
      ignore();
      gone.abort();
    },
  };
}

// ---------------------------------------------------------------- the stepper

/** Models of the page, by the id of their stepper.
 * @returns {Map<string, Model>} */
function models() {
  const page = /** @type {{__ipygrad?: Map<string, Model>}} */ (/** @type {unknown} */ (window));
  return (page.__ipygrad ??= new Map());
}

/**
 * Fill an element with a live stepper; what the element held is put back by destroy().
 *
 * With an id, the stepper links itself to the kernel's model of that id when there is one: the step
 * is then the same on both sides, and plots that the payload lacks are asked for.
 *
 * @param {HTMLElement} root
 * @param {Payload} payload
 * @param {{id?: string, model?: Model}} [options]
 */
export function mount(root, payload, { id, model } = {}) {
  const replaced = [...root.childNodes];
  /** @type {Pass} */
  let pass;
  /** @type {{show: Show, scroll?: () => void}[]} */
  let views = [];
  /** @type {ReturnType<typeof plotView>} */
  let plotCard;
  /** @type {ReturnType<typeof controlsView>} */
  let controls;
  /** @type {ReturnType<typeof stepView>} */
  let words;
  /** @type {ReturnType<typeof tableView>} */
  let table;
  /** @type {{select(variable: number | null): void}[]} */
  let marked = [];
  /** @type {(string | null | undefined)[]} undefined where a plot may still come */
  let plots = [];
  /** @type {Set<number>} */
  let asked = new Set();
  /** @type {((k: number) => void) | null} */
  let askForPlot = null;
  /** @type {Set<(k: number) => void>} */
  const callbacks = new Set();
  let step = 0;
  let part = PARTS;
  let speed = 1;
  /** While predicting, steps up to this one are no longer covered. */
  let revealed = Infinity;
  /** @type {number | null} */
  let selected = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  /** @type {number | undefined} */
  let frame;
  let width = 0;
  /** @type {(() => void) | null} */
  let unlink = null;
  /** @type {Model | null} */
  let linked = null;
  /** @type {Model | null} */
  let lastLinked = null;
  let isAttached = false;

  const now = () => step;
  const last = () => pass.last;

  // -------- steps

  /**
   * @param {number} k
   * @param {number} to
   */
  function show(k, to) {
    step = k;
    part = to;
    for (const view of views) view.show(k, part, k > revealed);
    for (let i = 1; i < PARTS; i += 1) root.classList.toggle(`ipygrad-part-${i}`, part === i);
    root.classList.toggle("ipygrad-covered", k > revealed);
    showPlot();
    // Scrolling has to measure: once a frame, when the frame is laid out anyway.
    frame ??= requestAnimationFrame(scroll);
  }

  function scroll() {
    frame = undefined;
    for (const view of views) view.scroll?.();
  }

  /**
   * Move to the step nearest to k, and tell everybody; who has to predict goes to covered steps one
   * by one, and past one by uncovering it.
   * @param {number} k
   * @param {number} [to] the part of it
   */
  function move(k, to = PARTS) {
    if (step > revealed && (k > step || (k === step && to === PARTS))) return reveal();
    const next = Math.min(Math.max(Math.round(Number(k)) || 0, 0), pass.last, revealed + 1);
    const shown = next > revealed ? Math.min(to, PARTS - 1) : to;
    if (next === step && shown === part) return;
    const isOther = next !== step;
    show(next, shown);
    if (!isOther) return;
    push();
    for (const callback of [...callbacks]) callback(next);
  }

  /** Show what is covered, and whether it was foretold. */
  function reveal() {
    words.predict(step);
    revealed = step;
    const focused = root.contains(activeElement(root));
    show(step, PARTS);
    table.element.hidden = revealed < pass.last;
    if (focused) controls.focus();
  }

  /**
   * Move because somebody said so, which ends playing.
   * @param {number} k
   * @param {number} [to]
   */
  function go(k, to) {
    pause();
    move(k, to);
  }

  /** @param {number} by one part of a step, 1 or -1 */
  function turn(by) {
    const to = part + by;
    if (to > PARTS && step < pass.last) go(step + 1, 1);
    else if (to < 1) go(step - 1);
    else if (step > 0) go(step, Math.min(to, PARTS));
  }

  /** @param {number} to */
  function hurry(to) {
    speed = to;
    if (timer === undefined) return;
    pause();
    play();
  }

  /**
   * Select a variable; null for none.
   * @param {number | null} variable
   */
  function select(variable) {
    selected = variable;
    for (const view of marked) view.select(variable);
  }

  /**
   * A press on a box: go to its step. A variable is selected, too, and by a second press none is.
   * @type {Go}
   */
  function pressBox(k, variable) {
    const isAgain = variable === selected && k === step;
    go(k);
    if (variable !== undefined && revealed >= pass.last) select(isAgain || !pass.variables[variable].chain ? null : variable);
  }

  function pause() {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    controls.showPlaying(false);
  }

  function play() {
    if (timer !== undefined || !isAttached || pass.last === 0) return;
    if (step === pass.last) move(0);
    timer = setInterval(() => {
      move(step + 1);
      if (step === pass.last) pause();
    }, PLAY_INTERVAL / speed);
    controls.showPlaying(true);
  }

  const toggle = () => (timer === undefined ? play() : pause());

  // -------- plots

  function showPlot() {
    const known = plots[step] ?? null;
    const ask = askForPlot ?? (linked && ((k) => linked?.send({ type: "plot", step: k })));
    const isWaiting = ask !== null && pass.steps[step].picture && plots[step] === undefined;
    plotCard.show(known, pass.word(isWaiting ? "plot_waiting" : "plot_none"), pass.steps[step]);
    if (!isWaiting || asked.has(step)) return;
    asked.add(step);
    ask(step);
  }

  /**
   * Give a step its plot: an SVG document, or null where there is none.
   * @param {number} k
   * @param {string | null} plot
   */
  function setPlot(k, plot) {
    if (!(k in pass.steps)) return;
    plots[k] = plot === null ? null : String(plot);
    if (k === step) showPlot();
  }

  // -------- the link with a kernel

  function push() {
    if (!linked || linked.get("step") === step) return;
    linked.set("step", step);
    linked.save_changes();
  }

  /** @param {Model} theirs */
  function link(theirs) {
    unlink?.();
    /** @type {[string, (...args: any[]) => void][]} */
    const listeners = [
      ["change:step", () => theirs.get("step") !== step && go(theirs.get("step"))],
      ["change:payload", () => theirs.get("payload")?.steps && load(theirs.get("payload"))],
      ["msg:custom", (message) => message?.type === "plot" && setPlot(message.step, message.svg ?? null)],
      ["destroy", () => unlink?.()],
      ["comm:close", () => unlink?.()],
    ];
    for (const [event, callback] of listeners) theirs.on(event, callback);
    unlink = () => {
      for (const [event, callback] of listeners) theirs.off(event, callback);
      unlink = linked = null;
      asked.clear();
      showPlot();
    };
    linked = theirs;
    // A model that is not at the start was moved by the kernel, or by another view of it.
    const isMoved = theirs.get("step") !== pass.payload.start || theirs === lastLinked;
    lastLinked = theirs;
    if (isMoved && theirs.get("step") !== step) go(theirs.get("step"));
    push();
    showPlot();
  }

  function findModel() {
    const found = model ?? (id === undefined ? undefined : models().get(id));
    if (found && found !== linked) link(found);
  }
  const onModel = (/** @type {Event} */ event) => {
    if (event instanceof CustomEvent && event.detail === id) findModel();
  };

  // -------- in and out of the document

  // Hosts take outputs out of the document or hide them, for good or for a while, and tell nobody.
  // Out of sight, nothing of the page or the kernel may hold on to the stepper.
  const isInSight = () => root.isConnected && root.getClientRects().length > 0;

  function attach() {
    if (isAttached) return;
    isAttached = true;
    window.addEventListener("ipygrad:model", onModel);
    findModel();
    scroll();
  }

  function detach() {
    if (!isAttached) return;
    isAttached = false;
    pause();
    window.removeEventListener("ipygrad:model", onModel);
    keys.ignore();
    unlink?.();
  }

  function fit() {
    root.classList.toggle("ipygrad-narrow", width < NARROW_PANEL);
    root.classList.toggle("ipygrad-wide", width >= WIDE_PANEL);
    root.classList.toggle("ipygrad-roomy", width >= ROOMY_PANEL);
  }

  const observer = new ResizeObserver(([{ contentRect }]) => {
    const isNew = contentRect.width !== width;
    width = contentRect.width;
    fit();
    if (!isInSight()) detach();
    else if (!isAttached) attach();
    else if (isNew) scroll();
  });
  const keys = listenToKeys(root, { now, last, press: go, toggle, turn });

  /**
   * Draw a payload in the place of what is drawn.
   * @param {Payload} payload
   */
  function load(payload) {
    const focused = root.contains(activeElement(root));
    if (controls) pause();
    pass = new Pass(payload);
    plots = pass.steps.map(({ plot }) => plot ?? undefined);
    asked = new Set();
    const graph = graphView(pass, pressBox);
    const chain = chainView(pass, () => {
      select(null);
      controls.focus();
    });
    const code = codeView(pass, now, go);
    table = tableView(pass, go);
    words = stepView(pass, reveal);
    plotCard = plotView(pass);
    controls = controlsView(pass, { now, press: go, toggle, open: (to) => go(step, to), hurry });
    revealed = payload.predict ? 0 : Infinity;
    table.element.hidden = revealed < pass.last;
    views = [graph, controls, words, code, table];
    marked = [graph, chain];
    put(root, { role: "group", "aria-label": payload.title, lang: pass.language });
    const panels = html("div", { class: "ipygrad-panels" }, words.text);
    if (plotCard.element) panels.append(plotCard.element);
    if (payload.code) panels.append(code.element);
    panels.classList.toggle("ipygrad-with-plot", plotCard.element !== null);
    panels.classList.toggle("ipygrad-with-pair", plotCard.isPair);
    root.replaceChildren(
      ...payload.notices.map((text) => html("div", { class: "ipygrad-notice" }, text)),
      ...(pass.variables.length > 0 ? [graph.element] : []),
      controls.element,
      controls.status,
      html("div", { class: "ipygrad-top" }, words.heading, controls.parts),
      words.products,
      chain.element,
      panels,
      table.element,
    );
    show(Math.min(step, pass.last, revealed), PARTS);
    select(null);
    push();
    if (focused) controls.focus();
  }

  root.classList.add("ipygrad");
  width = root.clientWidth;
  fit();
  step = Math.min(Math.max(Number(payload.start) || 0, 0), payload.steps.length - 1);
  load(payload);
  observer.observe(root);
  if (isInSight()) attach();

  return {
    get step() {
      return step;
    },
    set step(k) {
      go(k);
    },
    go,
    play,
    pause,
    setPlot,
    /** What to call for a plot that is not there; by default the linked model is asked. */
    get askForPlot() {
      return askForPlot;
    },
    set askForPlot(ask) {
      askForPlot = ask;
      asked.clear();
      showPlot();
    },
    /**
     * Call back after each change of the step.
     * @param {(k: number) => void} callback
     * @returns {() => void} ends it
     */
    onStep(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    destroy() {
      pause();
      detach();
      if (frame !== undefined) cancelAnimationFrame(frame);
      observer.disconnect();
      keys.stop();
      callbacks.clear();
      root.classList.remove("ipygrad", "ipygrad-narrow", "ipygrad-wide", "ipygrad-roomy");
      put(root, { role: null, "aria-label": null, lang: null });
      root.replaceChildren(...replaced);
    },
  };
}

/**
 * Make a kernel's model known to the steppers of the page.
 * @param {{model: Model}} context
 */
function initialize({ model }) {
  const id = String(model.get("stepper_id"));
  const forget = () => {
    if (models().get(id) === model) models().delete(id);
  };
  models().set(id, model);
  model.on("destroy", forget);
  window.dispatchEvent(new CustomEvent("ipygrad:model", { detail: id }));
  return forget;
}

/**
 * Show a kernel's model as a view of its own.
 * @param {{model: Model, el: HTMLElement}} context
 */
function render({ model, el }) {
  const stepper = mount(el, model.get("payload"), { model });
  return () => stepper.destroy();
}

export default { initialize, render };
