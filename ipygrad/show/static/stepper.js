/**
 * The stepper: draws the payload of one backward pass and moves through its steps.
 *
 * The payload is documented in ipygrad/show/payload.py. All of its texts are plain text: they reach
 * the page as text nodes and as attributes of a fixed list, never as markup. A view has an
 * `element`, a `show(k)` that makes it show step k, a function of k alone, so that going back
 * mirrors going forward, and, where it may be too small for all, a `scroll()` to that place.
 */

/** @import * as T from "./types.d.ts" */

/** Time between two steps while playing at speed 1, ms, and the speeds. */
const PLAY_INTERVAL = 1200;
const SPEEDS = [0.5, 1, 2, 4];
/** After so long without an answer of the kernel that is said, ms. */
const PATIENCE = 1000;
/** A step opens into so many parts, and so does a call of the forward pass. */
const PARTS = 3;
const PART_KEYS = ["part_local", "part_product", "part_added"];
const CALL_KEYS = ["part_called", "part_tied", "part_value"];
/** Widths below which captions take two lines, and from which text and plot, and then two products
 * stand side by side, px. */
const NARROW_PANEL = 620;
const WIDE_PANEL = 520;
const ROOMY_PANEL = 760;
/** A drawing is fitted to its panel, but not below this scale. */
const LEAST_SCALE = 0.78;
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
/** Most products of a step that are shown as boxes; more are lines of text. */
const MOST_PRODUCTS = 3;
/** Height of the bar above an open group, px, and the scales of a folded graph. */
const FRAME = 28;
const SCALES = [0.1, 2];
const ZOOM = 1.25;
/** The Lumino shortcuts of the notebook leave an element with this attribute alone. */
const SUPPRESS = "data-lm-suppress-shortcuts";

// --- elements and texts

const ATTRIBUTES = new Set(
	`alt aria-current aria-disabled aria-expanded aria-hidden aria-label aria-level aria-pressed
	aria-selected aria-valuetext class d data-item data-text height lang lengthAdjust max min
	placeholder preserveAspectRatio role rx scope src step tabindex text-anchor textLength title
	transform type viewBox width x y ${SUPPRESS}`.split(/\s+/),
);

/** Set attributes, null removing one, and listeners (onclick). Here and in mark(), classes go
 * without their "ipygrad-".
 * @type {(element: Element, attributes: T.Attributes) => void} */
function put(element, attributes) {
	for (const [name, value] of Object.entries(attributes)) {
		const text = String(value);
		if (typeof value === "function") element.addEventListener(name.slice(2), value);
		else if (!ATTRIBUTES.has(name)) throw new Error(`the stepper sets no attribute ${name}`);
		else if (value === null) element.removeAttribute(name);
		else element.setAttribute(name, name === "class" ? text.replace(/\S+/g, "ipygrad-$&") : text);
	}
}

/** Give an element a class, or take it away.
 * @type {(element: Element, name: string, is: boolean) => void} */
const mark = (element, name, is) => void element.classList.toggle(`ipygrad-${name}`, is);

/** Say whether an element is the step's.
 * @type {(element: Element, is: boolean) => void} */
function markNow(element, is) {
	put(element, { "aria-current": is ? "step" : null });
	mark(element, "now", is);
}

/** A maker of elements: of a tag, with attributes, or a class alone, and children.
 * @param {string} namespace */
const maker =
	(namespace) =>
	/** @type {T.Make} */
	(tag, attributes = {}, ...children) => {
		const element = document.createElementNS(namespace, tag);
		put(element, typeof attributes === "string" ? { class: attributes } : attributes);
		element.append(...children);
		return element;
	};
const html = maker("http://www.w3.org/1999/xhtml");
const svg = maker("http://www.w3.org/2000/svg");
const mathml = maker("http://www.w3.org/1998/Math/MathML");

/** The only elements of formulas: they hold text, or others. */
const TOKENS = new Set(["mi", "mn", "mo", "mtext"]);
const SCHEMATA = new Set(["mrow", "msup", "msub", "msubsup", "mfrac", "msqrt", "mroot", "mover"]);

/** Make an element of a formula; what is none of those above becomes text.
 * @type {(tree: T.MathTree) => Element} */
function mathNode(tree) {
	const [tag, ...children] = Array.isArray(tree) ? tree : ["mtext", tree];
	if (SCHEMATA.has(tag)) return mathml(tag, {}, ...children.map(mathNode));
	return mathml(TOKENS.has(tag) ? tag : "mtext", {}, children.flat(Infinity).join(" "));
}

/** A formula, typeset, and as plain text for those who do not see it.
 * @type {(formula: T.Formula) => Element} */
const typeset = ({ text, math }) =>
	mathml("math", { class: "math", role: "math", "aria-label": text }, mathNode(math));

/** Fill the {placeholders} of a template with texts or elements.
 * @type {(template: string, values: Record<string, string | number | Node | null | undefined>) => T.Children} */
function fill(template, values) {
	return template.split(/\{(\w+)\}/).map((part, i) => {
		const value = i % 2 === 0 ? part : (values[part] ?? `{${part}}`);
		return value instanceof Node ? value : String(value);
	});
}

/** How many columns a text takes.
 * @param {string} text */
const columnsOf = (text) => [...text].reduce((sum, c) => sum + (WIDE.test(c) ? 2 : 1), 0);

/** Cut a text to a number of columns, the last of which is then an ellipsis.
 * @type {(text: string, columns: number) => string} */
function shorten(text, columns) {
	if (columnsOf(text) <= columns) return text;
	let kept = "";
	for (const character of text) {
		if (columnsOf(kept + character) >= columns) break;
		kept += character;
	}
	return `${kept}…`;
}

/** Give an element focus by Tab without giving its keys to the notebook.
 * @template {Element} E
 * @param {E} element */
function focusable(element) {
	put(element, { [SUPPRESS]: "true" });
	return element;
}

/** A box that scrolls, and so can have focus.
 * @type {(attributes: T.Attributes | string, ...children: T.Children) => any} */
const scroller = (attributes, ...children) => focusable(html("div", attributes, ...children));

/** @type {(attributes: T.Attributes, press: () => void, ...children: T.Children) => any} */
const button = (attributes, press, ...children) =>
	focusable(html("button", { type: "button", onclick: press, ...attributes }, ...children));

/** Bring a box into the middle of its own scroller if it does not stand well inside.
 * @type {(scroller: HTMLElement, box: number[]) => void} */
function scrollInside(scroller, [x, y, width, height]) {
	const { clientWidth, clientHeight, scrollLeft, scrollTop } = scroller;
	const room = 48;
	if (x - room < scrollLeft || x + width + room > scrollLeft + clientWidth)
		scroller.scrollLeft = x + width / 2 - clientWidth / 2;
	if (y - room < scrollTop || y + height + room > scrollTop + clientHeight)
		scroller.scrollTop = y + height / 2 - clientHeight / 2;
}

/** Bring a line of text into sight, without moving sideways.
 * @type {(scroller: HTMLElement, line: HTMLElement) => void} */
function scrollToLine(scroller, { offsetTop, offsetHeight }) {
	scrollInside(scroller, [scroller.scrollLeft + 48, offsetTop, 0, offsetHeight]);
}

/** The items that an element stands for.
 * @type {(element: Element) => T.Item[]} */
const itemsOf = (element) => element.getAttribute("data-item")?.split(",") ?? [];

/** Whether the focus is inside an element, also when the stepper stands in a shadow tree.
 * @param {Element} element */
const hasFocus = (element) =>
	element.contains(/** @type {Document} */ (element.getRootNode()).activeElement ?? null);

/** @type {(element: HTMLElement | SVGElement | null | undefined) => void} */
const focus = (element) => element?.focus({ preventScroll: true });

/** Whether a key is pressed alone, or with Shift where that may be.
 * @type {(event: KeyboardEvent, mayShift?: boolean) => boolean} */
const isPlain = ({ ctrlKey, metaKey, altKey, shiftKey }, mayShift = false) =>
	!ctrlKey && !metaKey && !altKey && (mayShift || !shiftKey);

// --- the pass, prepared

/** The number of an item, such as "v3": a variable, function (f), group, or its entry (i) or exit (o);
 * of an edge ("v3 f5") by the kind of its end. -1 for none.
 * @type {(item: T.Item, kind?: string) => number} */
const numberOf = (item, kind = item[0]) => Number(item.match(`${kind}(\\d+)`)?.[1] ?? -1);

/** A step of which only the numbers are kept, in the form of the others.
 * @type {(step: T.LeanStep, payload: T.Payload) => T.Step} */
function withoutWords({ arriving, products, ...step }, { numbers, graph }) {
	const number = (/** @type {number | null} */ place) => (place === null ? null : numbers[place]);
	const words = { sentence: "", status: "", parts: [], notes: [], source: "" };
	const none = { formula: null, equation: null, summed: null };
	return {
		...{ ...words, ...step, check: null, waiting: null, plot: null, isLean: true },
		products: products.map(([variable, holds, local, contribution, before, after]) => ({
			...{ variable, holds, ...none, constant: contribution === null },
			name: graph.variables[variable].name,
			arriving: number(arriving),
			local: number(local) ?? (contribution === null ? null : { text: "…", exact: "" }),
			contribution: number(contribution),
			before: number(before),
			after: number(after),
		})),
	};
}

/** What views ask about a payload, from arrays that are made once. */
export class Pass {
	/** @param {T.Payload} payload */
	constructor(payload) {
		const { graph, steps, forward, words, language, interfaces = {} } = payload;
		const own = navigator.language.slice(0, 2);
		this.payload = payload;
		this.language = own in interfaces ? own : language;
		this.words = interfaces[own] ?? words;
		this.variables = graph.variables;
		this.functions = graph.functions;
		this.steps = steps.map((step) => ("status" in step ? step : withoutWords(step, payload)));
		this.last = steps.length - 1;
		/** Calls of the forward pass are the steps before 0: the last of them is step -1. */
		this.first = -forward.length;
		/** The step of each function's call.
		 * @type {Map<number | null, number>} */
		this.calls = new Map(forward.map((call, i) => [call.function, i - forward.length]));

		/** The group that each item stands in.
		 * @type {Map<string, number>} */
		this.home = new Map();
		graph.groups.forEach(({ items }, g) => {
			for (const item of items) this.home.set(item, g);
		});
		/** For each group, the steps of the functions inside.
		 * @type {number[][]} */
		this.inside = graph.groups.map(() => []);
		this.functions.forEach(({ step }, f) => {
			if (step === null) return;
			for (const g of this.path(`f${f}`).slice(0, -1)) this.inside[numberOf(g)].push(step);
		});
	}

	/** A text of the interface, or of another table.
	 * @type {(key: string, values?: T.Texts, table?: Record<string, string>) => string} */
	word(key, values = {}, table = this.words) {
		return fill(table[key] ?? key, values).join("");
	}

	/** A step of the backward pass or, below 0, of the forward pass.
	 * @type {(k: number) => T.Step} */
	at(k) {
		return this.steps[k] ?? this.payload.forward[k - this.first];
	}

	/** What to say of a part of a step; of the last, null. What is covered is not said.
	 * @type {(k: number, part: number, isCovered: boolean) => string | null} */
	told(k, part, isCovered) {
		return part === PARTS ? null : (this.at(k).parts[isCovered ? 0 : part - 1] ?? null);
	}

	/** How far the forward pass has made an item: not, without its value, or wholly. The first part of
	 * a call makes the function, the second what the function has made, the third its value.
	 * @type {(item: T.Item, k: number, part: number) => number} */
	made(item, k, part) {
		const f = this.variables[numberOf(item, "v")]?.creator ?? numberOf(item, "f");
		const call = this.calls.get(f) ?? this.first - 1;
		return call === k && item[0] === "v" ? part - 1 : call > k ? 0 : PARTS;
	}

	/** The step of an item or an edge in the direction of step k.
	 * @type {(item: T.Item, k: number) => number | null} */
	stepOf(item, k) {
		const [v, f] = [numberOf(item, "v"), numberOf(item, "f")];
		if (item.includes("[")) return null;
		if (k < 0) return this.calls.get(f < 0 ? this.variables[v].creator : f) ?? null;
		return (this.functions[f] ?? this.variables[v]).step;
	}

	/** An item and the groups around it, from the outermost inward.
	 * @param {string} item */
	path(item) {
		const path = [item];
		for (let g = this.home.get(item); g; g = this.home.get(path[0])) path.unshift(`g${g}`);
		return path;
	}

	/** Whether a line is on the way out of the groups around one item and into those around another.
	 * @type {(line: string, tail: string, head: string) => boolean} */
	joins(line, tail, head) {
		const [out, into] = line.split(" ");
		const meets = (/** @type {string} */ end, /** @type {string} */ item) =>
			/[io]/.test(end) !== this.path(item).includes(end.replace(/[io]/, "g"));
		return meets(out, tail) && meets(into, head);
	}

	/** What belongs to an item, with the groups around: to a variable its paths to the result, to a
	 * function what it was given and has made, to an edge its ends, to an element what feeds it.
	 * @type {(item: T.Item) => Set<T.Item>} */
	family(item) {
		const family = new Set(item.split(" "));
		const { creator, elements } = this.variables[numberOf(item, "v")] ?? {};
		/** @type {(f: number) => void} */
		const addCall = (f) => {
			const { inputs = [], outputs = [] } = this.functions[f] ?? {};
			for (const v of [...inputs, ...outputs]) if (v !== null) family.add(`v${v}`);
			family.add(`f${f}`);
		};
		if (item.includes("[")) {
			addCall(creator ?? -1);
			for (const one of elements?.feeds[numberOf(item, "\\[")] ?? []) family.add(one);
		} else if (/^f\d+$/.test(item)) addCall(numberOf(item));
		else if (family.size === 1)
			for (const one of family) {
				const { users = [] } = this.variables[numberOf(one, "v")] ?? {};
				const { outputs = [] } = this.functions[numberOf(one, "f")] ?? {};
				for (const f of users) if (this.functions[f].step !== null) family.add(`f${f}`);
				for (const y of outputs) if (this.variables[y ?? -1]?.step != null) family.add(`v${y}`);
			}
		return new Set([...family].flatMap((one) => this.path(one)));
	}

	/** @param {string} item */
	nameOf(item) {
		const { variables: v, functions: f, groups: g } = this.payload.graph;
		/** @type {Record<string, any[]>} */
		const lists = { v, f, g };
		const { name, label = name } = lists[item[0]]?.[numberOf(item)] ?? { name: "" };
		return typeof label === "string" ? label : this.word(label[0], label[1]);
	}
}

/** A number with its exact value on hover; a dash for one that is not there yet.
 * @type {(pass: Pass, number: T.Num | null) => HTMLElement} */
function numeral(pass, number) {
	const { text, exact } = number ?? { text: "–", exact: pass.word("not_yet") };
	return html("span", { class: "number", title: exact }, text);
}

/** Whether a number is no array.
 * @type {(number: T.Num) => boolean} */
const isNumber = ({ exact }) => Number.isFinite(Number(exact));

// --- the graph

/** A line of text in a drawing, by default around x.
 * @type {(style: string | null, x: number, y: number, text: string, anchor?: string) => any} */
const textAt = (style, x, y, text, anchor = "middle") =>
	svg("text", { class: style, x, y, "text-anchor": anchor }, text);

/** An arrow head, and where its line comes from.
 * @type {(style: string, tip: T.Point, from: T.Point) => Element} */
function arrowHead(style, [x, y], [fromX, fromY]) {
	const turn = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI;
	const transform = `translate(${x} ${y}) rotate(${turn})`;
	return svg("path", { class: style, d: "M0 0-7.4-3.1V3.1Z", transform });
}

/** An edge: its curve, a head forward and, unless it carries none, one for what goes backward.
 * @type {(line: T.Line, carries: boolean) => SVGElement} */
function edgeGroup({ key, points, label, at }, carries) {
	const [start, ...others] = points.map((point) => point.join(" "));
	const [before, end] = points.slice(-2);
	const d = `M${start}C${others.join(" ")}`;
	const group = svg(
		"g",
		{ class: "edge", "data-item": key.replace(/[io]/g, "g") },
		svg("path", { class: "reach", d }),
		svg("path", { class: "curve", d }),
		arrowHead("head", end, before),
	);
	// A gradient goes back to a variable, and to a function by the link to the creator.
	if (carries) group.append(arrowHead(key[0] === "f" ? "tie" : "back", points[0], points[1]));
	if (at) {
		const [x, y] = at;
		const width = columnsOf(label) * LABEL_COLUMN;
		const paper = { class: "paper", x: x - width / 2, y: y - 7, width, height: 14 };
		group.append(svg("rect", paper), textAt("label", x, y + 4, label));
	}
	return group;
}

/** The middle of an edge's piece that touches the variable of an input.
 * @type {(points: T.Point[]) => number[]} */
const edgeMiddle = ([a, b, c, d]) => [0, 1].map((i) => (a[i] + 3 * b[i] + 3 * c[i] + d[i]) / 8);

/** A curve through some places, two on each level: straight there, S-shaped from one to the next.
 * @type {(places: number[], levels: number[], bend: number) => T.Point[]} */
function curve(places, levels, bend) {
	/** @type {T.Point[]} */
	const points = [[places[0], levels[0]]];
	places.forEach((x, i) => {
		const y = levels[i >> 1];
		const [fromX, fromY] = points[points.length - 1];
		if (y === fromY && (x === fromX || y === levels[(i + 1) >> 1])) return;
		const turn = fromX + (x - fromX) * (0.5 + Math.sign(fromY - y) * bend);
		points.push([turn, fromY], [turn, y], [x, y]);
	});
	return points;
}

/** Put the scene of a group together: what is to the right of open groups, or below, makes room.
 * @type {(graph: T.Graph, open: Set<T.Item>, g?: number) => T.Scene} */
function compose(graph, open, g = 0) {
	const { items, shape } = graph.groups[g];
	const { width, height, boxes, lines } = graph.shapes[shape];
	const inner = boxes.map((_, i) =>
		open.has(items[i]) ? compose(graph, open, numberOf(items[i])) : null,
	);
	/** By how much what is beyond a place moves, across and down.
	 * @type {Map<number, number>[]} */
	const moves = [new Map(), new Map([[0, g && FRAME]])];
	inner.forEach((scene, i) => {
		if (!scene) return;
		const [x, middle, wide, high] = boxes[i];
		const more = [scene.width - wide, scene.height - high];
		[x + wide - 1, middle].forEach((at, axis) =>
			moves[axis].set(at, Math.max(moves[axis].get(at) ?? 0, more[axis])),
		);
	});
	const [across, down] = moves.map(
		(beyond) => (/** @type {number} */ at) =>
			[...beyond].reduce((sum, [from, by]) => sum + (by * (1 + Math.sign(at - from))) / 2, at),
	);
	/** @type {T.Scene} */
	const scene = { width: across(width), height: down(height), boxes: [], lines: [], ends: {} };
	const placed = boxes.map(([left, middle, ...size], i) => {
		const within = inner[i];
		const [wide, high] = within ? [within.width, within.height] : size;
		const [x, y] = [across(left), down(middle) - high / 2];
		if (wide === 0) scene.ends[items[i][0]] = y;
		else scene.boxes.push([items[i], [x, y, wide, high]]);
		for (const [item, [left, top, ...size]] of within?.boxes ?? [])
			scene.boxes.push([item, [x + left, y + top, ...size]]);
		for (const line of within?.lines ?? [])
			scene.lines.push({ ...line, points: line.points.map((at) => [x + at[0], y + at[1]]) });
		return [x, y, wide, high];
	});
	for (const [tail, head, ports, turns, levels, bend, position, label, at] of lines) {
		const [from, to] = [placed[tail], placed[head]];
		const rows = [
			from[1] + (inner[tail]?.ends.o ?? ports[0] * from[3]),
			...levels.map(down),
			to[1] + (inner[head]?.ends.i ?? ports[1] * to[3]),
		];
		const end = to[2] ? to[0] : scene.width;
		const stops = [from[2] && from[0] + from[2], ...turns.map(across), end];
		const [key, points] = [`${items[tail]} ${items[head]}`, curve(stops, rows, bend)];
		scene.lines.push({ key, points, position, label, at });
	}
	return scene;
}

/** The graph in its scroller: whole or, when it is large, in groups that open in place. What it has
 * drawn anew is to be lit.
 * @type {(pass: Pass, light: () => void) => T.GraphView} */
function graphView(pass, light) {
	const { graph } = pass.payload;
	const isFolded = graph.height !== null;
	const attributes = { class: "drawing", role: "group", "aria-label": pass.word("graph") };
	const drawing = svg("svg", attributes);
	const view = scroller("graph", drawing);
	let scene = compose(graph, new Set());
	/** @type {{line: T.Line, group: SVGElement}[]} */
	let lines = [];
	/** @type {Map<T.Item, T.Drawn>} */
	let boxes = new Map();
	const labels = svg("g", { "aria-hidden": "true" });
	/** @type {Parameters<T.Show>} */
	let shown = [0, PARTS, false];
	const opened = new Set(graph.open);
	/** What was opened by hand and what the step is in.
	 * @type {Set<string>} */
	let open = new Set();
	let follows = true;
	let frame = 0;
	let zoom = 0;
	let found = "";
	/** The part in sight when it was painted, in px of the drawing. */
	let part = [0, 0, 0, 0];

	/** @type {(kind: string, box: T.Box, rx: number, attributes: T.Attributes) => SVGElement} */
	function boxGroup(kind, [x, y, width, height], rx, attributes) {
		const shape = svg("rect", { class: "shape", x, y, width, height, rx });
		const group = svg("g", { class: `box ${kind}`, role: "button", tabindex: 0 }, shape);
		put(group, attributes);
		return focusable(group);
	}

	/** @type {(v: number, box: T.Box) => T.Drawn} */
	function variableBox(v, box) {
		const { name, kind, value, shape, cut, states } = pass.variables[v];
		/** @type {(key: string, values?: T.Texts) => string} */
		const say = (key, values) => pass.word(key, values, pass.payload.sentences);
		const group = boxGroup(kind, box, 4, { "data-item": `v${v}`, "aria-pressed": "false" });
		const [middle, centre] = [box[0] + box[2] / 2, box[1] + box[3] / 2];
		const gradient = textAt("gradient", middle, centre + 23, "");
		const title = svg("title");
		// Boxes are made for other values: what is longer is written more closely.
		const write = (/** @type {SVGElement} */ row, /** @type {string} */ text) => {
			row.textContent = shorten(text, BOX_COLUMNS);
			const room = box[2] - 8;
			const isLong = columnsOf(row.textContent) * COLUMN_WIDTH > room;
			put(row, { textLength: isLong ? room : null, lengthAdjust: "spacingAndGlyphs" });
			return row;
		};
		group.append(
			textAt("name", middle, centre - 13, shorten(name, BOX_COLUMNS)),
			write(textAt("value", middle, centre + 5, ""), value.text),
			gradient,
			title,
		);
		/** @type {T.State | undefined} */
		let shown;
		return {
			group,
			show(k) {
				const state = states.findLast(([from]) => from <= k);
				if (state === shown) return;
				shown = state;
				// Going forward nobody has asked for a gradient.
				const [, key, number, arrived, expected] = state ?? [];
				const isCutToo = cut !== null && key !== "cut";
				/** @type {(text?: string) => string} */
				const told = (text = "") => {
					const state = say(`state_${key}`, { value: text, arrived, expected, how: cut });
					return isCutToo ? [state, say("state_cut", { how: cut })].join(say("list")) : state;
				};
				const values = { value: number?.text ?? "", arrived, expected, how: cut };
				const text = key ? say(`box_${key}`, values) : "";
				write(gradient, key && isCutToo ? say("box_and_cut", { box: text }) : text);
				mark(group, "waiting", key !== "arrived");
				const whole = `${name} = ${value.exact} ${shape}`.trimEnd();
				title.textContent = key ? `${whole}\n${told(number?.exact)}` : whole;
				const label = { name, value: value.text, state: told(number?.text) };
				const said = key ? say("variable_label", label) : `${name} = ${value.text}`;
				put(group, { "aria-label": said });
			},
		};
	}

	/** @type {(f: number, box: T.Box) => T.Drawn} */
	function functionBox(f, box) {
		const { label, source, step, turn } = pass.functions[f];
		const [x, y, width, height] = box;
		const group = boxGroup("function", box, 17, { "data-item": `f${f}`, "aria-pressed": "false" });
		const title = svg("title", {}, [source ?? label, turn].join("\n").trim());
		const text = shorten(label, BOX_COLUMNS);
		group.append(textAt(null, x + width / 2, y + height / 2 + 4.5, text), title);
		const key = step === null ? "function_unused_label" : "function_label";
		let name = [pass.word(key, { label, step }), ...(turn ? [turn] : [])].join(", ");
		const check = pass.steps[step ?? -1]?.check;
		if (check?.status === "disagrees") {
			const [right, top] = [x + width - 3, y + 3];
			const dot = { class: "shape", x: right - 9, y: top - 9, width: 18, height: 18, rx: 9 };
			const sign = textAt(null, right, top + 5, "≠");
			group.append(svg("g", "badge", svg("rect", dot), sign));
			title.textContent += `\n${check.text}`;
			name += `, ${pass.word("disagrees")}`;
		}
		put(group, { "aria-label": name });
		return { group, show: (k) => mark(group, "done", step !== null && step <= k) };
	}

	/** @param {T.Step} step */
	function contributions(step) {
		const found = lines.flatMap(({ line: { key, label, position, points } }) => {
			const isInput = key[0] === "v" && key.endsWith(` f${step.function}`);
			const number = isInput ? step.products[position]?.contribution : null;
			// Where the shape of an array stands, there is no room for its elements.
			if (label || !number) return [];
			const [x, y] = edgeMiddle(points);
			return { x, y, text: shorten(number.text, EDGE_COLUMNS) };
		});
		found.sort((a, b) => a.y - b.y);
		let free = -Infinity;
		return found.map(({ x, y, text }, i) => {
			// Above an edge, and below it in the lower half of a bundle. A long one begins at the
			// variable's box and passes above the function's.
			const isBelow = i > 0 && i >= found.length / 2;
			const isLong = text.length > GAP_COLUMNS;
			const above = isLong && found.length === 1 ? -22 : -8;
			const at = Math.max(y + (isBelow ? 16 : above), free);
			free = at + 15;
			return textAt("contribution", isLong ? x - 22 : x, at, text, isLong ? "start" : "middle");
		});
	}

	/** A group; while it is open, a frame with a bar to close it by.
	 * @type {(g: number, box: T.Box) => T.Drawn} */
	function groupBox(g, [x, y, width, height]) {
		const [item, steps] = [`g${g}`, pass.inside[g]];
		const isOpen = open.has(item);
		const name = pass.nameOf(item);
		const bar = isOpen ? FRAME : height;
		const group = boxGroup("group", [x, y, width, bar], 4, { onclick: () => fold(item) });
		const row = textAt("value", x + width / 2, y + 35, "");
		const text = shorten(`${isOpen ? "−" : "+"} ${name}`, BOX_COLUMNS);
		group.append(textAt("name", x + width / 2, y + 18, text), row);
		put(group, { "aria-expanded": String(isOpen) });
		/** @param {number} k */
		function show(k) {
			const done = steps.filter((step) => step <= k).length;
			const size = steps.length;
			const told = size > 0 ? pass.word("group_done", { done, size }) : "";
			if (!isOpen) row.textContent = told;
			put(group, { "aria-label": `${name} ${told}` });
			mark(group, "done", done > 0 && done === size);
		}
		return { group, show };
	}

	const target = () => {
		const { function: f, products } = pass.at(shown[0]);
		return f === null ? `v${products[0]?.variable}` : `f${f}`;
	};
	const wanted = () => [...opened, ...(follows ? pass.path(target()).slice(0, -1) : [])];
	/** An item, or the closed group that it is in.
	 * @param {string} item */
	const seen = (item) => pass.path(item).find((one) => !open.has(one)) ?? item;
	const scale = () => drawing.clientWidth / scene.width || 1;

	/** Draw what is near; a step then changes only what differs. */
	function paint() {
		const focused = [...boxes].find(([, { group }]) => hasFocus(group))?.[0];
		scene = compose(graph, (open = new Set(wanted())));
		const kept = focused && seen(focused);
		const { width, height } = scene;
		const [x, y, wide, high] = part;
		/** @type {(box: number[]) => boolean} */
		const isNear = ([left, top, width, height]) =>
			!isFolded ||
			(left < x + 1.5 * wide &&
				top < y + 1.5 * high &&
				left + width > x - wide / 2 &&
				top + height > y - high / 2);
		lines = scene.lines.flatMap((line) => {
			const { key, points } = line;
			const [[left, right], [top, bottom]] = [0, 1].map((axis) => {
				const places = points.map((point) => point[axis]);
				return [Math.min(...places), Math.max(...places)];
			});
			if (!isNear([left, top, right - left, bottom - top])) return [];
			const isConstant = pass.variables[numberOf(key, "v")]?.kind === "constant";
			return [{ line, group: edgeGroup(line, !isConstant) }];
		});
		boxes = new Map();
		const makers = { v: variableBox, f: functionBox, g: groupBox };
		// In the document, and so for Tab, boxes stand as the computation ran: from left to right.
		for (const [item, box] of scene.boxes.sort(([, [a]], [, [b]]) => a - b))
			if (item === kept || isNear(box))
				boxes.set(item, makers[/** @type {"v"} */ (item[0])](numberOf(item), box));
		const frames = scene.boxes.flatMap(([item, [x, y, width, height]]) =>
			open.has(item) ? svg("rect", { class: "shape", x, y, width, height, rx: 4 }) : [],
		);
		const edges = lines.map(({ group }) => group);
		drawing.replaceChildren(
			...frames,
			svg("g", { "aria-hidden": "true" }, ...edges),
			svg("g", {}, ...[...boxes.values()].map(({ group }) => group)),
			labels,
		);
		put(drawing, { viewBox: `0 0 ${width} ${height}` });
		// As style, because style sheets of hosts scale every svg.
		const [least, most] = isFolded ? [zoom, zoom] : [LEAST_SCALE, 1];
		drawing.style.width = `clamp(${least * width}px, 100%, ${most * width}px)`;
		show(...shown);
		light();
		if (kept) focus(boxes.get(kept)?.group);
		const hit = boxes.get(found);
		if (hit) mark(hit.group, "found", true);
	}

	function look() {
		const { scrollLeft, scrollTop, clientWidth, clientHeight } = view;
		const now = [scrollLeft, scrollTop, clientWidth, clientHeight].map((one) => one / scale());
		frame = 0;
		if (!isFolded || now.every((one, i) => Math.abs(one - part[i]) < part[2 + (i % 2)] / 3)) return;
		part = now;
		paint();
	}

	/** @param {string} item */
	function bringInSight(item) {
		const at = seen(item);
		const box = scene.boxes.find(([one]) => one === at)?.[1];
		if (box) scrollInside(view, box.map((length) => length * scale()));
		look();
	}

	/** @type {T.Show} */
	function show(k, part, isCovered) {
		const step = pass.at(k);
		const isAdded = part === PARTS;
		const waiting = isAdded ? (step.waiting?.functions ?? []) : [];
		const queued = new Set(waiting.map((f) => seen(`f${f}`)));
		const added = step.products.filter(({ constant }) => isAdded && !constant);
		const changed = new Set(added.map(({ variable }) => seen(`v${variable}`)));
		const isStart = step.function === null;
		const now = seen(target());
		for (const [item, box] of boxes) {
			box.show(isAdded ? k : k - 1, part, isCovered);
			markNow(box.group, isStart ? changed.has(item) : item === now);
			mark(box.group, "unmade", pass.made(item, k, part) === 0);
			mark(box.group, "unvalued", pass.made(item, k, part) === 1);
			mark(box.group, "queued", queued.has(item));
			mark(box.group, "changed", changed.has(item));
		}
		const f = `f${step.function}`;
		const { inputs = [], outputs = [] } = pass.functions[step.function ?? -1] ?? {};
		for (const { line, group } of lines) {
			const isLit =
				inputs.some((v) => pass.joins(line.key, `v${v}`, f)) ||
				outputs.some((v) => pass.joins(line.key, f, `v${v}`));
			mark(group, "now", isLit);
			mark(group, "unmade", line.key.split(" ").some((end) => pass.made(end, k, part) === 0));
		}
		labels.replaceChildren(...(part > 1 && !isCovered ? contributions(step) : []));
	}

	/** @param {string} group */
	function fold(group) {
		if (!open.has(group)) opened.add(group);
		else if (!opened.delete(group) || wanted().includes(group)) follower.click();
		paint();
	}

	/** Zoom around a place in the view.
	 * @param {number} to */
	function zoomTo(to, x = view.clientWidth / 2, y = view.clientHeight / 2) {
		const { scrollLeft, scrollTop } = view;
		const from = scale();
		zoom = Math.min(Math.max(to, SCALES[0]), SCALES[1]);
		paint();
		view.scrollLeft = ((scrollLeft + x) * zoom) / from - x;
		view.scrollTop = ((scrollTop + y) * zoom) / from - y;
		look();
	}
	const fit = () => Math.min(view.clientWidth / scene.width, view.clientHeight / scene.height, 1);

	function find() {
		const text = field.value.toLowerCase();
		const has = (/** @type {string} */ item) => pass.nameOf(item).toLowerCase().includes(text);
		const hits = text ? [...pass.home.keys()].filter(has) : [];
		found = hits[hits.indexOf(found) + 1] ?? hits[0] ?? "";
		mark(field, "disagrees", text !== "" && found === "");
		for (const group of pass.path(found).slice(0, -1)) opened.add(group);
		paint();
		bringInSight(found);
	}

	/** @type {(key: string, onclick: () => void, text?: string) => any} */
	const tool = (key, onclick, text = pass.word(key)) =>
		button({ class: "part", "aria-label": pass.word(key) }, onclick, text);
	const follower = tool("follow", () => {
		follows = !follows;
		put(follower, { "aria-pressed": String(follows) });
		paint();
		bringInSight(target());
	});
	const name = pass.word("find");
	const onkeydown = (/** @type {KeyboardEvent} */ { key }) => key === "Enter" && find();
	const field = focusable(
		html("input", { class: "field", "aria-label": name, placeholder: name, onkeydown }),
	);
	const tools = [
		tool("zoom_out", () => zoomTo(zoom / ZOOM), "−"),
		tool("zoom_in", () => zoomTo(zoom * ZOOM), "+"),
		tool("zoom_fit", () => zoomTo(fit())),
		follower,
		field,
	];
	if (isFolded) {
		view.style.height = `${graph.height}px`;
		put(view, {
			onscroll: () => (frame ||= requestAnimationFrame(look)),
			onwheel(/** @type {WheelEvent} */ event) {
				if (!event.ctrlKey) return;
				event.preventDefault();
				const { left, top } = view.getBoundingClientRect();
				zoomTo(zoom * 0.998 ** event.deltaY, event.clientX - left, event.clientY - top);
			},
			onpointermove({ buttons, pointerType, target, movementX, movementY }) {
				if (buttons === 1 && pointerType === "mouse" && !target.closest("[tabindex]"))
					view.scrollBy(-movementX, -movementY);
			},
		});
	}
	put(follower, { "aria-pressed": "true" });
	paint();
	return {
		element: isFolded ? html("div", {}, html("div", "controls", ...tools), view) : view,
		show(...now) {
			shown = now;
			if (isFolded && String([...open]) !== String([...new Set(wanted())])) paint();
			else show(...now);
		},
		scroll() {
			if (isFolded && zoom === 0 && view.clientWidth > 0) zoomTo(Math.max(fit(), LEAST_SCALE));
			bringInSight(target());
		},
	};
}

// --- code, step, plot, table


/** The cell's code: lines that called a function are buttons, and so is, by mouse, each expression.
 * @type {(pass: Pass) => T.CodeView} */
function codeView(pass) {
	const { first = 1, lines = [], expressions = [], steps = [], untaken = [] } = pass.payload.code ?? {};
	const list = html("div", { class: "lines", role: "list" });
	const box = scroller({ class: "code", role: "group", "aria-label": pass.word("code") }, list);
	/** @type {(part: T.Part) => Node | string} */
	const node = (part) => {
		if (typeof part === "string") return part;
		const [items, ...inner] = part;
		return html("span", { class: "expression", "data-item": items }, ...inner.map(node));
	};
	const rows = lines.map((_, i) => {
		const number = html("span", "line-number", String(first + i));
		const text = html("span", {}, ...expressions[i].map(node));
		const items = steps[i].map((k) => `f${pass.steps[k].function}`).join();
		const row = items
			? button({ class: "line", "data-item": items }, () => {}, number, text)
			: html("span", "line", number, text);
		if (untaken.includes(first + i)) put(text, { class: "untaken", title: pass.word("untaken") });
		list.append(html("div", { role: "listitem" }, row));
		return row;
	});
	return {
		element: html("div", "code-panel", box),
		show(k) {
			const { line, function: f } = pass.at(k);
			rows.forEach((row, i) => markNow(row, first + i === line));
			for (const one of list.querySelectorAll(".ipygrad-expression"))
				mark(one, "now", itemsOf(one).includes(`f${f}`));
		},
		scroll() {
			const lit = list.querySelector("[aria-current]");
			if (lit && box.scrollHeight > box.clientHeight) scrollToLine(box, lit);
		},
	};
}

/** Whether a prediction is right: the sign, or the number within two digits.
 * @type {(said: string, number: T.Num) => boolean} */
function isForetold(said, { exact }) {
	const value = Number(exact);
	const sign = { "+": 1, "-": -1, "−": -1 }[said];
	if (sign) return Math.sign(value) === sign;
	const room = value === 0 ? 0 : 0.501 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
	return Math.abs(Number(said.replace("−", "-").replace(",", ".")) - value) <= room;
}

/** The texts of a step, by their styles.
 * @type {Record<string, (step: T.Step) => string>} */
const TEXTS = {
	sentence: ({ sentence }) => sentence,
	notes: ({ notes }) => notes.join(" "),
	turns: ({ waiting }) => waiting?.text ?? "",
	check: ({ check }) => check?.text ?? "",
	source: ({ source }) => source,
};

/** One step in numbers and words.
 * @type {(pass: Pass, reveal: () => void) => T.StepView} */
function stepView(pass, reveal) {
	const { steps } = pass;
	const { room } = pass.payload;
	const heading = html("span", { role: "heading", "aria-level": 3 });
	const texts = Object.entries(TEXTS).flatMap(([name, of]) =>
		steps.some((step) => (step.isLean && name === "notes") || of(step))
			? { name, of, text: html(name === "source" ? "pre" : "span") }
			: [],
	);

	/** A text with the room that the longest of all steps take.
	 * @type {(text: HTMLElement, name: string) => any} */
	function sized(text, name) {
		const ghosts = (room.texts[name] ?? []).map((ghost) =>
			html(text.localName, { class: "ghost", "data-text": ghost, "aria-hidden": "true" }),
		);
		return scroller(`sized ${name}`, text, ...ghosts);
	}

	// Room for the boxes of any step that has boxes; longer lists scroll in the same room.
	const isList = (/** @type {T.Step} */ step) => step.products.length > MOST_PRODUCTS;
	const products = scroller(["products", ...room.styles].join(" "));
	for (const [name, count] of Object.entries(room.counts))
		products.style.setProperty(`--ipygrad-${name}`, String(count));

	// The label is what a screen reader says instead.
	const sign = (/** @type {string} */ text, label = "") =>
		html("span", { class: "sign", ...(label && { role: "img", "aria-label": label }) }, text);
	/** @type {(caption: string, number: T.Num | null, style?: string, formula?: T.Formula | null) => any} */
	function factor(caption, number, style = "", formula = null) {
		const amount = html("span", "amount", numeral(pass, number));
		if (formula) amount.append(typeset(formula));
		const above = html("span", { class: "caption", title: caption }, caption);
		return html("span", `factor ${style}`, above, amount);
	}

	/** What the learner has predicted, for each product of each step.
	 * @type {string[][]} */
	const predicted = [];

	/** A field for the number that is covered.
	 * @param {string} name */
	function field(name) {
		const label = pass.word("predict", { name });
		const onkeydown = (/** @type {KeyboardEvent} */ event) =>
			event.key === "Enter" && isPlain(event) && reveal();
		const attributes = { class: "field", title: label, "aria-label": label, onkeydown };
		return focusable(html("input", attributes));
	}

	/** @type {(product: T.Product, i: number, k: number, isCovered: boolean) => Element} */
	function productRow(product, i, k, isCovered) {
		const { name, variable, arriving, contribution, after, summed, equation } = product;
		const f = steps[k].function;
		const item = `v${variable}${f === null ? "" : ` f${f}`}`;
		const row = html("div", { class: "product", role: "group", "aria-label": name, "data-item": item });
		if (contribution === null) {
			row.append(html("div", "sum none", pass.word("no_gradient", { name })));
			return row;
		}
		const isStart = arriving === null;
		const caption = pass.word(isStart ? "start" : "contribution", { name });
		const result = factor(caption, contribution, "result");
		const amount = result.lastElementChild;
		const said = predicted[k]?.[i];
		if (isCovered) amount.replaceChildren(isNumber(contribution) ? field(name) : "?");
		else if (said) {
			const key = isForetold(said, contribution) ? "foretold" : "not_foretold";
			amount.append(html("span", key, pass.word(key, { said })));
		}
		row.append(html("div", summed ? "equation summed" : "equation", result));
		const sum = html("div", "sum");
		const change = html("span", "change");
		if (!isStart) {
			result.before(
				factor(pass.word("arriving"), arriving),
				sign("×"),
				factor(pass.word("local"), product.local, "local", product.formula),
				product.holds ? sign("=") : sign("≠", pass.word("not_equal")),
			);
			const [before, now] = [numeral(pass, product.before), numeral(pass, after)];
			change.append(...fill(pass.words.added, { before, after: now }));
		}
		if (summed) {
			result.before(factor(pass.word("product"), summed.before), sign("→", summed.text));
			sum.append(html("span", "change", summed.text));
		}
		if (equation) row.append(scroller("working", typeset(equation)));
		const isRounded = after && isNumber(after) && Number(after.text) !== Number(after.exact);
		const exact = isRounded ? pass.word("exactly", { value: after.exact }) : "";
		sum.append(change, html("span", "exact", exact));
		row.append(sum);
		return row;
	}

	/** A call of the forward pass: what the function was given, and what it made.
	 * @type {(f: number, part: number) => Element} */
	function callRow(f, part) {
		const { inputs, outputs, label } = pass.functions[f];
		/** @type {(list: (number | null)[], style: string, has?: boolean) => Element} */
		const listed = (list, style, has = true) => {
			const all = list.flatMap((v) => (v === null ? [] : pass.variables[v]));
			const [text, exact] = ["text", "exact"].map((key) =>
				all.map(({ value }) => value[/** @type {"text"} */ (key)]).join("; "),
			);
			return factor(all.map(({ name }) => name).join(", "), has ? { text, exact } : null, style);
		};
		const made = factor(pass.word("function"), { text: label, exact: label }, "local");
		const given = listed(inputs, "local");
		const result = listed(outputs, "result", part === PARTS);
		return html(
			"div",
			{ class: "product", "data-item": `f${f}` },
			html("div", "equation", given, sign("→"), made, sign("→"), result),
		);
	}

	return {
		heading: sized(heading, "heading"),
		products,
		text: html("div", "text", ...texts.map(({ name, text }) => sized(text, name))),
		predict(k) {
			const inputs = [...products.children].map((row) => row.querySelector("input"));
			predicted[k] = inputs.map((input) => input?.value.trim() ?? "");
		},
		show(k, part, isCovered) {
			const step = pass.at(k);
			heading.textContent = step.heading;
			for (const { name, of, text } of texts) {
				text.textContent = (name === "sentence" && pass.told(k, part, isCovered)) || of(step);
				if (name === "check") put(text, { class: step.check && step.check.status });
			}
			mark(products, "list", isList(step));
			const rows = step.products.map((one, i) => productRow(one, i, k, isCovered));
			products.replaceChildren(...(k < 0 ? [callRow(step.function ?? 0, part)] : rows));
		},
		scroll() {
			products.scrollTop = 0;
		},
	};
}

/** What is selected, closely: the chain rule for its variable, a line for each path to the result and
 * their sum, and the elements of an array with those that it was made of.
 * @type {(pass: Pass, close: () => void) => T.ChainView} */
function chainView(pass, close) {
	const name = pass.word("chain");
	const body = scroller("paths");
	const region = { class: "chain", role: "region", "aria-label": name };
	const element = html("div", region, body, control(pass, "close", close));

	/** @type {(v: number) => T.Children} */
	function grid(v) {
		const { name, elements } = pass.variables[v];
		if (!elements) return [];
		const cells = elements.texts.map((text, i) =>
			button({ class: "cell", "data-item": `v${v}[${i}]` }, () => {}, text),
		);
		const box = html("div", { class: "grid", role: "group", "aria-label": name }, ...cells);
		box.style.setProperty("--ipygrad-columns", String(elements.columns));
		return [html("div", {}, html("b", {}, name), box)];
	}

	return {
		element,
		select(item) {
			const has = (/** @type {number} */ v) => pass.variables[v]?.chain ?? pass.variables[v]?.elements;
			const inputs = pass.functions[numberOf(item ?? "", "f")]?.inputs ?? [];
			const v = [numberOf(item ?? "", "v"), ...inputs].find(has) ?? -1;
			element.hidden = v < 0;
			if (v < 0) return;
			const { chain, creator } = pass.variables[v];
			const list = html("div", { role: "list" });
			const add = (/** @type {string} */ style, /** @type {Node | string} */ line) =>
				list.append(html("div", { class: style, role: "listitem" }, line));
			const { paths = [], more = "", total = null } = chain ?? {};
			for (const { factors, ...path } of paths) {
				const math = typeset(path);
				// A product of derivatives, each a fraction, comes first.
				factors.forEach((item, i) => put(math.querySelectorAll("mfrac")[i], { "data-item": item }));
				add("route", math);
			}
			if (more) add("route", more);
			if (total) add("total", typeset(total));
			const made = new Set([v, ...(pass.functions[creator ?? -1]?.inputs ?? [])]);
			body.replaceChildren(
				html("b", {}, `${name}: `, ...(chain ? [typeset(chain.heading)] : [])),
				list,
				html("div", "grids", ...[...made].flatMap(grid)),
			);
		},
	};
}

/** The card of the plots, or words in the same room. A plot has a column for each input that takes a
 * gradient, each an image of its own, side by side or, without room, below one another.
 * @type {(pass: Pass) => T.PlotView} */
function plotView(pass) {
	const curves = (/** @type {T.Step} */ { products }) =>
		products.filter(({ local, constant }) => local !== null && !constant).length;
	const most = Math.max(...pass.steps.map((step) => (step.picture ? curves(step) : 0)));
	const element = scroller("plot");
	/** Kept for all steps, because an image shows its old picture until it has the new one.
	 * @type {HTMLImageElement[]} */
	const images = [];
	/** @type {T.PlotView} */
	const view = {
		element: most > 0 ? element : null,
		isPair: most > 1,
		draw(plot, words, step) {
			mark(element, "empty", plot === null);
			if (plot === null) return element.replaceChildren(words);
			const count = Math.max(1, curves(step));
			const src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(plot)}`;
			const alt = pass.word("plot", { heading: step.heading });
			for (let i = 0; i < count; i += 1) {
				const image = (images[i] ??= html("img", "image"));
				put(image, { src, alt: i === 0 ? alt : "" });
				mark(image, "column", count > 1);
				image.style.objectPosition = count > 1 ? `${(100 * i) / (count - 1)}%` : "";
				// A picture that cannot be drawn is none.
				image.onerror = () => view.draw(null, pass.word("plot_none"), step);
			}
			element.replaceChildren(...images.slice(0, count));
		},
	};
	return view;
}

/** The whole pass as a table, folded away; made when it is first opened.
 * @type {T.MakeView<T.TableView>} */
function tableView(pass, { go }) {
	const { columns, rows, row_steps: rowSteps } = pass.payload.table;
	const body = html("tbody");
	const head = html("tr", {}, ...columns.map((text) => html("th", { scope: "col" }, text)));
	const box = scroller("table-box", html("table", "table", html("thead", {}, head), body));
	const summary = focusable(html("summary", {}, pass.word("table")));
	const element = html("details", "details", summary, box);

	/** @type {(row: string[], i: number) => Element} */
	function tableRow([first = "", ...others], i) {
		const k = rowSteps[i];
		const label = pass.word("go", { step: k });
		const cells = [button({ class: "go", "aria-label": label }, () => {}, first), ...others];
		// A step has a row for each product that is no constant's.
		const { function: f, products } = pass.steps[k];
		const given = products.filter(({ contribution }) => contribution)[i - rowSteps.indexOf(k)];
		const ends = [...(given ? [`v${given.variable}`] : []), ...(f === null ? [] : [`f${f}`])];
		const row = { class: "row", onclick: () => go(k), "data-item": ends.join(" ") || null };
		return html("tr", row, ...cells.map((cell) => html("td", {}, cell)));
	}

	/** @type {Element[]} those of the step that is shown */
	let lit = [];
	let shown = 0;
	/** @type {T.View} */
	const view = {
		show(k) {
			shown = k;
			if (!element.open) return;
			if (!body.firstChild) body.append(...rows.map(tableRow));
			for (const row of lit) markNow(row, false);
			lit = [...body.children].slice(rowSteps.indexOf(k), rowSteps.lastIndexOf(k) + 1);
			for (const row of lit) markNow(row, true);
		},
		scroll() {
			if (lit[0] && element.open) scrollToLine(box, /** @type {HTMLElement} */ (lit[0]));
		},
	};
	const ontoggle = () => {
		view.show(shown, PARTS, false);
		view.scroll?.();
	};
	put(element, { ontoggle });
	return { element, ...view };
}

// --- controls

const ICONS = {
	first: "M4 3v10M12 3 6 8l6 5",
	previous: "M10.5 3 5 8l5.5 5",
	play: "M5 3l8 5-8 5z",
	pause: "M5.5 3v10M10.5 3v10",
	next: "M5.5 3 11 8l-5.5 5",
	last: "M12 3v10M4 3l6 5-6 5",
	close: "M4 4l8 8M12 4l-8 8",
};

/** A button with an icon, which does nothing while it is disabled.
 * @type {(pass: Pass, key: keyof typeof ICONS, press: () => void) => any} */
function control(pass, key, press) {
	const name = pass.word(key);
	const icon = svg("path", { d: ICONS[key] });
	const element = button(
		{ class: `button ${key}`, "aria-label": name, title: name },
		() => element.getAttribute("aria-disabled") !== "true" && press(),
		svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, icon),
	);
	return element;
}

/** Buttons, the slider, where we are, and what a screen reader announces.
 * @type {T.MakeView<T.ControlsView>} */
function controlsView(pass, { now, first: least, begin, go, toggle, hurry }) {
	const { last } = pass;
	const first = control(pass, "first", () => go(least()));
	const previous = control(pass, "previous", () => go(now() - 1));
	const play = control(pass, "play", toggle);
	const next = control(pass, "next", () => go(now() + 1));
	const end = control(pass, "last", () => go(last));
	const range = { type: "range", max: last, step: 1, "aria-label": pass.word("step") };
	const slider = focusable(html("input", { ...range, oninput: () => go(Number(slider.value)) }));
	const position = html("span", { class: "position", "aria-hidden": "true" });
	const options = SPEEDS.map((one) => new Option(`${one}×`, String(one), one === 1, one === 1));
	const onchange = () => hurry(Number(speed.value));
	const speed = focusable(
		html("select", { "aria-label": pass.word("speed"), onchange }, ...options),
	);
	const directions = ["forward", "backward"].map((key) =>
		button({ class: "part" }, () => begin(key === "forward"), pass.word(key)),
	);
	const direction = { class: "parts", role: "group", "aria-label": pass.word("direction") };
	const row = [first, previous, play, next, end, slider, position, speed];
	if (pass.first < 0) row.push(html("div", direction, ...directions));
	const parts = PART_KEYS.map((_, i) =>
		button({ class: "part" }, () => now() !== 0 && go(now(), i + 1)),
	);
	const group = { class: "parts", role: "group", "aria-label": pass.word("parts") };
	const status = html("div", { class: "status", role: "status" });
	/** @type {(control: Element, is: boolean) => void} */
	const unable = (control, is) => put(control, { "aria-disabled": is ? "true" : null });
	unable(play, last === 0);
	return {
		element: html("div", "controls", ...row),
		status,
		parts: html("div", group, ...parts),
		show(k, part, isCovered) {
			const told = pass.told(k, part, isCovered) ?? pass.at(k).status;
			const from = least();
			put(slider, { min: from, "aria-valuetext": told });
			slider.value = String(k);
			status.textContent = told;
			const [at, of] = k < 0 ? [k - pass.first + 1, -pass.first] : [k, last];
			const step = part < PARTS ? `${at}.${part}` : at;
			position.textContent = pass.word(k < 0 ? "position_forward" : "position", { step, last: of });
			parts.forEach((control, i) => {
				control.textContent = pass.word((k < 0 ? CALL_KEYS : PART_KEYS)[i]);
				markNow(control, k !== 0 && i + 1 === part);
				unable(control, k === 0);
			});
			for (const control of [first, previous]) unable(control, k === from);
			directions.forEach((control, i) => put(control, { "aria-pressed": String(i === 0 === from < 0) }));
			for (const control of [next, end]) unable(control, k === last && !isCovered);
		},
		showPlaying(is) {
			const key = is ? "pause" : "play";
			put(play, { "aria-label": pass.word(key), title: pass.word(key) });
			put(play.querySelector("path"), { d: ICONS[key] });
		},
		focus: () => focus(slider),
	};
}

/** How large the gradient is at each step: a bar for each, and where it dies or hardly gets through.
 * @type {T.MakeView<T.SizesView>} */
function sizesView(pass, { go }) {
	const none = { bars: [], dead: [], saturated: [], text: "" };
	const { bars, dead, saturated, text } = pass.payload.sizes ?? none;
	/** @type {(style: string, d: string[]) => any} */
	const path = (style, d) => svg("path", { class: style, d: d.join("") });
	const now = svg("path", { class: "bar-now" });
	const marks = [
		...dead.map((k) => `M${k + 0.2} .7l.6.3m0-.3-.6.3`),
		...saturated.map((k) => `M${k + 0.1} .1h.8`),
	];
	const size = { viewBox: `0 0 ${bars.length} 1`, preserveAspectRatio: "none" };
	const onclick = (/** @type {MouseEvent} */ { offsetX }) =>
		go(Math.floor((offsetX / drawing.clientWidth) * bars.length));
	const drawing = svg(
		"svg",
		{ class: "bars", role: "img", "aria-label": text, onclick, ...size },
		now,
		path("bar", bars.map((b, k) =>
			b === null ? "" : `M${k + 0.5} 1V${0.95 - 0.9 * b}`)),
		path("bar-mark", marks),
	);
	return {
		elements: bars.length > 0 ? [drawing, html("div", "caption", text)] : [],
		show: (k) => put(now, { d: `M${k + 0.5} 1V0` }),
	};
}

/** Knobs for the numbers at the leaves, which a kernel turns.
 * @type {(pass: Pass, turn: (values: T.Values) => void, keep: () => void) => T.KnobsView} */
function knobsView(pass, turn, keep) {
	const { knobs, knobs_more: more } = pass.payload;
	const told = html("span", { class: "told", role: "log" });
	/** @type {T.Values} */
	let values = {};
	const rows = knobs.map(({ name, value, bound }, i) => {
		/** @type {(key: string, oninput: () => void, type?: string) => any} */
		const input = (key, oninput, type = "number") => {
			const label = pass.word(key, { name });
			const element = html("input", { type, step: "any", title: label, "aria-label": label, oninput });
			return focusable(element);
		};
		/** @type {(now: number) => void} */
		const set = (now) => {
			values = { ...values, [i]: now };
			view.set(values);
			turn(values);
		};
		const slider = input("knob", () => set(Number(slider.valueAsNumber.toPrecision(4))), "range");
		const field = input("knob", () => field.value !== "" && set(field.valueAsNumber));
		const low = input("knob_low", () => put(slider, { min: low.value }));
		const high = input("knob_high", () => put(slider, { max: high.value }));
		put(slider, { min: -bound, max: bound });
		low.value = -bound;
		high.value = bound;
		const show = () => {
			for (const one of [slider, field])
				if (!hasFocus(one) || one.valueAsNumber !== values[i]) one.value = values[i] ?? value ?? 0;
		};
		return { element: html("div", "knob", html("b", {}, name), field, low, slider, high), show };
	});
	const reset = () => {
		view.set({});
		turn({});
	};
	const title = pass.word("keep_title");
	const fields = html(
		"fieldset",
		"knobs",
		...rows.map(({ element }) => element),
		...(more ? [more] : []),
		button({}, reset, pass.word("reset")),
		button({ title }, keep, pass.word("keep")),
	);
	const summary = focusable(html("summary", {}, pass.word("what_if")));
	/** @type {T.KnobsView} */
	const view = {
		element: html("details", "what-if", ...(knobs.length > 0 ? [summary, fields, told] : [])),
		set(to) {
			values = to;
			for (const { show } of rows) show();
		},
		rest(is) {
			if (is && hasFocus(fields)) focus(summary);
			fields.disabled = is;
			view.say(is ? pass.word("knobs_rest") : "");
		},
		say(text = "") {
			told.textContent = text;
		},
	};
	view.element.hidden = knobs.length === 0;
	view.set({});
	view.rest(true);
	return view;
}

// --- keys

/** Keys of the stepper, wherever inside it the focus is. A control keeps the keys that are its own,
 * but the notebook around gets none of them.
 * Returns what leaves the window's keys alone until the focus is inside again.
 * @type {(root: HTMLElement, actions: T.Keyed, signal: AbortSignal) => () => void} */
function listenToKeys(root, { now, go, toggle, turn }, signal) {
	/** @type {Record<string, () => void>} */
	const actions = {
		ArrowLeft: () => go(now() - 1),
		ArrowRight: () => go(now() + 1),
		ShiftArrowLeft: () => turn(-1),
		ShiftArrowRight: () => turn(1),
		Home: () => go(-Infinity),
		End: () => go(Infinity),
		" ": toggle,
	};
	/** @param {KeyboardEvent} event */
	function onKey(event) {
		const { target, key } = event;
		if (event.defaultPrevented || event.isComposing || !(target instanceof Element)) return;
		const isPart = event.shiftKey && key.startsWith("Arrow");
		if (!isPlain(event, isPart)) return;
		if (target.closest("input:not([type=range]), textarea, select, [contenteditable]")) return;
		const isPress = key === " " || key === "Enter";
		const isOwn = isPress
			? target.closest("button, summary, a") !== null
			: target instanceof HTMLInputElement && !isPart;
		// A box of the graph does not press itself.
		const isBox = isPress && target.matches("[tabindex]");
		const click = () => target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
		const action = isBox ? click : actions[isPart ? `Shift${key}` : key];
		if (!action && !isOwn) return;
		event.stopPropagation();
		if (isOwn) return;
		event.preventDefault();
		action();
	}

	/** Chords and Escape are the notebook's: it has to see them on an element that does not say no.
	 * @param {KeyboardEvent} event */
	function lift(event) {
		if (!root.isConnected) return ignore();
		const [target] = event.composedPath();
		const isChord = event.ctrlKey || event.metaKey || event.altKey;
		const isRun = event.shiftKey && event.key === "Enter";
		if (!isChord && !isRun && event.key !== "Escape") return;
		if (!(target instanceof Element) || !root.contains(target)) return;
		if (!target.hasAttribute(SUPPRESS)) return;
		put(target, { [SUPPRESS]: null });
		setTimeout(() => focusable(target));
	}
	const ignore = () => window.removeEventListener("keydown", lift, true);
	const listen = () => window.addEventListener("keydown", lift, true);
	/** @param {FocusEvent} event */
	const onFocusOut = ({ relatedTarget }) => {
		if (!(relatedTarget instanceof Node && root.contains(relatedTarget))) ignore();
	};
	root.addEventListener("keydown", onKey, { signal });
	root.addEventListener("focusin", listen, { signal });
	root.addEventListener("focusout", onFocusOut, { signal });
	return ignore;
}

// --- the stepper

/** Models of the page, by the id of their stepper.
 * @type {() => Map<string, T.Model>} */
const models = () => (/** @type {any} */ (window).__ipygrad ??= new Map());

/**
 * Fill an element with a live stepper; what the element held is put back by destroy().
 *
 * With an id, it links itself to the kernel's model of that id when there is one: the step is then
 * the same on both sides, and plots that the payload lacks are asked for.
 * @param {HTMLElement} root
 * @param {T.Payload} payload
 * @param {{id?: string, model?: T.Model}} [options]
 */
export function mount(root, payload, { id, model } = {}) {
	const replaced = [...root.childNodes];
	let pass = new Pass(payload);
	/** @type {ReturnType<typeof draw>} */
	let drawn;
	/** @type {(string | null | undefined)[]} undefined where a plot may still come */
	let plots = [];
	/** @type {Set<number>} */
	const asked = new Set();
	/** Where the knobs of the pass that is shown stand.
	 * @type {T.Values} */
	let values = {};
	/** Where they are to stand, while the kernel still works on earlier ones.
	 * @type {T.Values | null} */
	let wanted = null;
	let isBusy = false;
	/** @type {ReturnType<typeof knobsView>} */
	let knobs;
	let step = Math.min(Math.max(Number(payload.start) || 0, 0), pass.last);
	let part = PARTS;
	let speed = 1;
	/** While predicting, steps up to this one are no longer covered. */
	let revealed = Infinity;
	/** @type {T.Item | null} */
	let selected = null;
	/** The step to begin at: of the forward pass, if that is wanted. */
	let first = 0;
	let timer = 0;
	let frame = 0;
	let width = root.clientWidth;
	let unlink = () => {};
	/** @type {T.Model | null} */
	let linked = null;
	/** @type {T.Model | null} */
	let lastLinked = null;
	let isAttached = false;
	const gone = new AbortController();

	// --- steps

	/** @type {(k: number, to: number) => void} */
	function show(k, to) {
		step = k;
		part = to;
		const isCovered = k > revealed;
		const now = pass.at(k);
		if (now.isLean) {
			now.sentence = pass.word(linked ? "words_waiting" : "words_rest");
			// What is announced waits for the words that are on their way.
			now.status = linked ? "" : `${now.heading}. ${now.sentence}`;
		}
		for (const view of drawn.views) view.show(k, part, isCovered);
		for (let i = 1; i < PARTS; i += 1) mark(root, `part-${i}`, part === i);
		mark(root, "covered", isCovered);
		mark(root, "forward", k < 0);
		drawn.table.hidden = revealed < pass.last;
		showPlot();
		if (selected) light();
		// Scrolling has to measure: once a frame, when the frame is laid out anyway.
		frame ||= requestAnimationFrame(scroll);
	}

	function scroll() {
		frame = 0;
		for (const view of drawn.views) view.scroll?.();
	}

	/** Move to the step nearest to k, or a part of it, and tell the kernel; who has to predict goes to
	 * covered steps one by one, and past one by uncovering it.
	 * @type {(k: number, to?: number) => void} */
	function move(k, to = PARTS) {
		if (step > revealed && (k > step || (k === step && to === PARTS))) return reveal();
		const next = Math.min(Math.max(Math.round(Number(k)) || 0, first), pass.last, revealed + 1);
		const shown = next > revealed ? Math.min(to, PARTS - 1) : next === 0 ? PARTS : to;
		if (next !== step || shown !== part) show(next, shown);
		push();
	}

	/** Show what is covered, and whether it was foretold. */
	function reveal() {
		drawn.words.predict(step);
		revealed = step;
		const isFocused = hasFocus(root);
		show(step, PARTS);
		if (isFocused) drawn.controls.focus();
	}

	/** Move because somebody said so, which ends playing.
	 * @type {(k: number, to?: number) => void} */
	function go(k, to) {
		pause();
		move(k, to);
	}

	/** Select an item; null for none.
	 * @param {T.Item | null} item */
	function select(item) {
		selected = item;
		drawn.chain.select(item);
		light();
	}

	/** Light up what belongs to the selection, wherever it stands. */
	function light() {
		const family = selected ? pass.family(selected) : new Set();
		for (const element of root.querySelectorAll("[data-item]")) {
			const items = itemsOf(element);
			const isSelected = selected !== null && items.includes(selected);
			mark(element, "selected", isSelected);
			mark(element, "path", items.some((one) => one.split(" ").every((end) => family.has(end))));
			if (element.hasAttribute("aria-pressed")) put(element, { "aria-pressed": String(isSelected) });
		}
	}

	/** A press on what stands for items shows the step of the next one, and selects that; a second
	 * press selects none.
	 * @param {MouseEvent} event */
	function press({ target }) {
		const element = target instanceof Element ? target.closest("[data-item]") : null;
		if (!element || /** @type {Element} */ (target).matches("input")) return;
		const steps = itemsOf(element)
			.map((item) => ({ item, k: pass.stepOf(item, step) ?? step }))
			.sort((a, b) => a.k - b.k);
		const { item, k } = steps.find((one) => one.k > step) ?? steps[0];
		const isAgain = item === selected && k === step;
		go(k);
		if (revealed >= pass.last) select(isAgain ? null : item);
	}

	function pause() {
		if (timer === 0) return;
		clearInterval(timer);
		timer = 0;
		drawn.controls.showPlaying(false);
	}

	function play() {
		if (timer !== 0 || !isAttached || pass.last === 0) return;
		if (step === pass.last) move(first);
		timer = window.setInterval(() => {
			move(step + 1);
			if (step === pass.last) pause();
		}, PLAY_INTERVAL / speed);
		drawn.controls.showPlaying(true);
	}

	/** @type {T.Actions} */
	const actions = {
		now: () => step,
		first: () => first,
		begin(isForward) {
			first = isForward ? pass.first : 0;
			go(first);
			show(step, part);
		},
		go,
		toggle: () => (timer === 0 ? play() : pause()),
		turn(by) {
			const to = part + by;
			if (to > PARTS && step < pass.last) go(step + 1, 1);
			else if (to < 1 || (step === 0 && by < 0)) go(step - 1);
			else if (step !== 0) go(step, Math.min(to, PARTS));
		},
		hurry(to) {
			speed = to;
			if (timer === 0) return;
			pause();
			play();
		},
	};

	// --- plots

	function showPlot() {
		const plot = plots[step];
		const { isLean, picture } = pass.at(step);
		const isWaiting = linked && picture && plot === undefined;
		const key = isWaiting ? "plot_waiting" : step < 0 ? "plot_forward" : "plot_none";
		drawn.plot.draw(plot ?? null, pass.word(key), pass.at(step));
		// Words take the kernel longer than a step: they are asked for where one stays.
		if (!linked || !(isLean ? asked.size === 0 : isWaiting && !asked.has(step))) return;
		asked.add(step);
		tell({ type: "plot", step, values });
	}

	// --- knobs

	/** Send a message to the kernel, if it is still there.
	 * @param {object} message */
	function tell(message) {
		try {
			linked?.send(message);
		} catch {
			unlink();
		}
	}

	/** Have the pass with other values at its leaves. The kernel is asked again only when it has
	 * answered, for the last values then.
	 * @param {T.Values} to */
	function turn(to) {
		wanted = to;
		if (isBusy || !linked) return;
		isBusy = true;
		wanted = null;
		tell({ type: "what_if", step: Math.max(step, 0), values: to });
		setTimeout(() => isBusy && knobs.say(pass.word("knobs_wait")), PATIENCE);
	}

	/** What the kernel answers.
	 * @type {Record<string, (message: any) => void>} */
	const answers = {
		plot({ step: k, svg: plot, told, values: of }) {
			// What was asked for before a knob was turned is of no use now.
			if (!(k in pass.steps) || JSON.stringify(of) !== JSON.stringify(values)) return;
			plots[k] = plot === null ? null : String(plot);
			asked.delete(k);
			if (told) pass.steps[k] = told;
			if (k === step && told) show(step, part);
			else showPlot();
		},
		what_if({ payload: turned, values: of, said }) {
			isBusy = false;
			if (turned?.steps) {
				values = of;
				load(turned, true);
			}
			knobs.say(said);
			// A knob that has moved on is not moved back.
			if (wanted) turn(wanted);
			else knobs.set(values);
		},
	};

	// --- the link with a kernel

	function push() {
		if (!linked || step < 0 || linked.get("step") === step) return;
		linked.set("step", step);
		linked.save_changes();
	}

	/** @param {T.Model} theirs */
	function link(theirs) {
		unlink();
		const follow = () => theirs.get("step") !== step && go(theirs.get("step"));
		const end = () => unlink();
		/** @type {Record<string, (message: any) => void>} */
		const listeners = {
			"change:step": follow,
			"msg:custom": (message) => Object.hasOwn(answers, message?.type) && answers[message.type](message),
			destroy: end,
			"comm:close": end,
		};
		for (const [event, callback] of Object.entries(listeners)) theirs.on(event, callback);
		unlink = () => {
			for (const [event, callback] of Object.entries(listeners)) theirs.off(event, callback);
			linked = null;
			unlink = () => {};
			asked.clear();
			if (pass.at(step).isLean) show(step, part);
			else showPlot();
			isBusy = false;
			knobs.rest(true);
		};
		linked = theirs;
		knobs.rest(false);
		// A model that is not at the start was moved by the kernel, or by another view of it.
		const isMoved = theirs.get("step") !== pass.payload.start || theirs === lastLinked;
		lastLinked = theirs;
		if (isMoved) follow();
		push();
		if (pass.at(step).isLean) show(step, part);
		else showPlot();
	}

	function findModel() {
		const found = model ?? (id === undefined ? undefined : models().get(id));
		if (found && found !== linked) link(found);
	}
	/** @param {Event} event */
	const onModel = (event) => {
		if (event instanceof CustomEvent && event.detail === id) findModel();
	};

	// --- in and out of the document

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
		ignoreKeys();
		if (!isAttached) return;
		isAttached = false;
		pause();
		window.removeEventListener("ipygrad:model", onModel);
		unlink();
	}

	function fit() {
		mark(root, "narrow", width < NARROW_PANEL);
		mark(root, "wide", width >= WIDE_PANEL);
		mark(root, "roomy", width >= ROOMY_PANEL);
	}

	const observer = new ResizeObserver(([{ contentRect }]) => {
		const isNew = contentRect.width !== width;
		width = contentRect.width;
		fit();
		if (!isInSight()) detach();
		else if (!isAttached) attach();
		else if (isNew) scroll();
	});
	const ignoreKeys = listenToKeys(root, actions, gone.signal);
	root.addEventListener("click", press, { signal: gone.signal });

	/** Make the views of the pass, and stand them around the knobs. A knob that is held must not
	 * leave the document.
	 * @param {any} before what is drawn of the pass before a knob was turned */
	function draw(before) {
		const { payload } = pass;
		const graph = graphView(pass, light);
		const controls = controlsView(pass, actions);
		const sizes = sizesView(pass, actions);
		const words = stepView(pass, reveal);
		const code = codeView(pass);
		const table = tableView(pass, actions);
		const plot = before?.plot ?? plotView(pass);
		const chain = chainView(pass, () => {
			select(null);
			controls.focus();
		});
		const panels = html("div", "panels", words.text);
		if (plot.element) panels.append(plot.element);
		if (payload.code) panels.append(code.element);
		mark(panels, "with-plot", plot.element !== null);
		mark(panels, "with-pair", plot.isPair);
		put(root, { role: "group", "aria-label": payload.title, lang: pass.language });
		for (const node of [...root.childNodes]) if (node !== knobs.element) node.remove();
		knobs.element.before(
			...payload.notices.map((text) => html("div", "notice", text)),
			...(payload.graph.groups[0].items.length > 0 ? [graph.element] : []),
			controls.element,
			controls.status,
			...sizes.elements,
		);
		knobs.element.after(
			html("div", "top", words.heading, controls.parts),
			words.products,
			chain.element,
			panels,
			table.element,
		);
		if (before) {
			graph.element.scrollTo(before.graph.element.scrollLeft, before.graph.element.scrollTop);
			table.element.open = before.table.open;
		}
		/** @type {T.View[]} */
		const views = [graph, controls, sizes, words, code, table];
		return { views, graph, controls, words, plot, chain, table: table.element };
	}

	/** Draw a payload, or what it becomes when a knob is turned: then all stays where it is.
	 * @param {T.Payload} payload
	 * @param {boolean} [isTurned] */
	function load(payload, isTurned = false) {
		pause();
		pass = new Pass(payload);
		plots = pass.steps.map(({ plot }) => plot ?? undefined);
		asked.clear();
		revealed = payload.predict ? 0 : Infinity;
		if (!isTurned) {
			knobs = knobsView(pass, turn, () => tell({ type: "keep", values }));
			root.replaceChildren(knobs.element);
		}
		drawn = draw(isTurned ? drawn : null);
		show(Math.min(step, pass.last, revealed), part);
		select(selected);
		push();
	}

	root.classList.add("ipygrad");
	fit();
	load(payload);
	observer.observe(root);
	if (isInSight()) attach();

	return {
		get step() {
			return step;
		},
		go,
		destroy() {
			detach();
			cancelAnimationFrame(frame);
			observer.disconnect();
			gone.abort();
			root.className = root.className.replace(/\bipygrad\S*\s*/g, "");
			put(root, { role: null, "aria-label": null, lang: null });
			root.replaceChildren(...replaced);
		},
	};
}

/** Fill an element with a stepper for each pass, of several in tabs: it is made when its tab is first
 * opened, and stays as it was left.
 * @param {HTMLElement} root
 * @param {T.NamedPass[]} passes */
export function mountAll(root, passes) {
	if (passes.length === 1) return mount(root, passes[0].payload, passes[0]);
	/** @type {ReturnType<typeof mount>[]} */
	const steppers = [];
	let now = 0;
	const panels = passes.map(({ name }) =>
		html("div", { role: "tabpanel", "aria-label": name }, html("div")),
	);
	const tabs = passes.map(({ name }, i) =>
		button({ class: "part", role: "tab" }, () => open(i), shorten(name, 2 * BOX_COLUMNS)),
	);
	const list = html("div", { class: "parts", role: "tablist" }, ...tabs);

	/** @param {number} i */
	function open(i) {
		now = i;
		tabs.forEach((tab, k) => {
			put(tab, { "aria-selected": String(k === i), tabindex: k === i ? 0 : -1 });
			panels[k].hidden = k !== i;
		});
		return (steppers[i] ??= mount(panels[i].firstChild, passes[i].payload, passes[i]));
	}

	/** @param {number} k */
	function go(k) {
		open(Math.min(Math.max(k, 0), passes.length - 1));
		focus(tabs[now]);
	}
	const rest = () => {};
	const actions = { now: () => now, go, toggle: rest, turn: rest };
	listenToKeys(list, actions, new AbortController().signal);
	root.classList.add("ipygrad");
	root.replaceChildren(list, ...panels);
	open(0);
	return { open };
}

/** Make a kernel's model known to the steppers of the page.
 * @param {{model: T.Model}} context */
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

/** Show a kernel's model as a view of its own.
 * @param {{model: T.Model, el: HTMLElement}} context */
function render({ model, el }) {
	const stepper = mount(el, model.get("payload"), { model });
	return () => stepper.destroy();
}

export default { initialize, render };
