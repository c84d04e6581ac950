/** The stepper: draws a payload (ipygrad/show/payload.py) and moves through its steps. Texts become text
 * nodes and attributes of a fixed list, never markup. types.d.ts tells what each function does. */

/** @import * as T from "./types.d.ts" */

const PLAY_MS = 1200
const PATIENCE_MS = 1000
const SPEEDS = [0.5, 1, 2, 4]
const PARTS = 3
const PART_KEYS = ["part_local", "part_product", "part_added"]
const CALL_KEYS = ["part_called", "part_tied", "part_value"]
const BOX_COLUMNS = 18
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/
const MOST_PRODUCTS = 3
const FRAME = 28
const LEAST_SCALE = 0.78
const SCALES = [0.1, 2]
const ZOOM = 1.25
/** The notebook's shortcuts leave an element with this attribute alone. */
const SUPPRESS = "data-lm-suppress-shortcuts"

// --- elements and texts

const ATTRIBUTES = new Set(
	`alt aria-current aria-disabled aria-expanded aria-hidden aria-label aria-level aria-pressed
	aria-selected aria-valuetext class d data-item data-step data-text height lang lengthAdjust max
	min placeholder preserveAspectRatio role rx scope src step tabindex text-anchor textLength title
	transform type viewBox width x y ${SUPPRESS}`.split(/\s+/)
)

/** @type {T.Put} */
function put(element, attributes) {
	for (const [name, value] of Object.entries(attributes)) {
		const text = String(value)
		if (typeof value === "function") element.addEventListener(name.slice(2), value)
		else if (!ATTRIBUTES.has(name)) throw new Error(`no attribute: ${name}`)
		else if (value === null) element.removeAttribute(name)
		else element.setAttribute(name, name === "class" ? text.replace(/\S+/g, "ipygrad-$&") : text)
	}
}

/** @type {T.Mark} */
const mark = (element, name, is) => void element.classList.toggle(`ipygrad-${name}`, is)

/** @type {T.Toggle} */
function markNow(element, is) {
	put(element, {"aria-current": is ? "step" : null})
	mark(element, "now", is)
}

/** @type {(namespace: string) => T.Make} */
const maker =
	namespace =>
	(tag, attributes = {}, ...children) => {
		const element = document.createElementNS(namespace, tag)
		put(element, typeof attributes === "string" ? {class: attributes} : attributes)
		element.setAttribute(SUPPRESS, "true")
		element.append(...children)
		return element
	}
const html = maker("http://www.w3.org/1999/xhtml")
const svg = maker("http://www.w3.org/2000/svg")
const mathml = maker("http://www.w3.org/1998/Math/MathML")

/** @type {T.MakeButton} */
const button = (attributes, press, ...children) =>
	html("button", {onclick: press, ...attributes}, ...children)

const TOKEN = /^m([ino]|text)$/
const SCHEMA = /^m(row|sup|sub|subsup|frac|sqrt|root|over)$/

/** @type {T.MathNode} */
function mathNode(tree) {
	const [tag, ...children] = Array.isArray(tree) ? tree : ["mtext", tree]
	if (SCHEMA.test(tag)) return mathml(tag, {}, ...children.map(mathNode))
	return mathml(TOKEN.test(tag) ? tag : "mtext", {}, children.flat(Infinity).join(" "))
}

/** @param {T.Formula} formula */
const typeset = ({text, math}) =>
	mathml("math", {class: "math", role: "math", "aria-label": text}, mathNode(math))

/** @type {T.Fill} */
const fill = (template, values) =>
	template.split(/\{(\w+)\}/).map((part, i) => {
		const value = i % 2 === 0 ? part : (values[part] ?? `{${part}}`)
		return value instanceof Node ? value : String(value)
	})

const columnsOf = (text = "") => [...text].reduce((sum, c) => sum + (WIDE.test(c) ? 2 : 1), 0)

function shorten(text = "", columns = BOX_COLUMNS) {
	if (columnsOf(text) <= columns) return text
	let kept = ""
	for (const character of text) {
		if (columnsOf(kept + character) >= columns) break
		kept += character
	}
	return `${kept}…`
}

/** @type {T.ScrollInside} */
function scrollInside(scroller, [x, y, width, height], room = 48) {
	const {clientWidth, clientHeight, scrollLeft, scrollTop} = scroller
	if (x - room < scrollLeft || x + width + room > scrollLeft + clientWidth)
		scroller.scrollLeft = x + width / 2 - clientWidth / 2
	if (y - room < scrollTop || y + height + room > scrollTop + clientHeight)
		scroller.scrollTop = y + height / 2 - clientHeight / 2
}

/** @type {T.ScrollToLine} */
const scrollToLine = (scroller, {offsetTop, offsetHeight}) =>
	scrollInside(scroller, [scroller.scrollLeft + 48, offsetTop, 0, offsetHeight])

/** @type {(element: Element) => T.Item[]} */
const itemsOf = element => element.getAttribute("data-item")?.split(",") ?? []

/** @type {T.HasFocus} */
const hasFocus = element =>
	element.contains(/** @type {Document} */ (element.getRootNode()).activeElement ?? null)

/** @type {T.Focus} */
const focus = element => element?.focus({preventScroll: true})

/** @param {KeyboardEvent} event */
const isPlain = ({ctrlKey, metaKey, altKey, shiftKey}, mayShift = false) =>
	!ctrlKey && !metaKey && !altKey && (mayShift || !shiftKey)

// --- the pass, prepared

/** @type {T.NumberOf} */
const numberOf = (item, kind = item[0]) => Number(item.match(`${kind}(\\d+)`)?.[1] ?? -1)

const untold = () => ({
	...{status: "", parts: [], texts: {}, check: null, waiting: [], columns: 0, plot: null, products: []},
	isLean: true
})

/** @type {T.WithoutWords} */
function withoutWords({arriving, products, ...step}, {numbers, graph}) {
	const given = numbers[arriving]
	return {
		...{...untold(), ...step},
		products: products.map(([variable, holds, ...places]) => {
			const [slope, contribution, before, after] = places.map(place => numbers[place ?? -1] ?? null)
			const local = slope ?? (contribution && {text: "…", exact: ""})
			const {name} = graph.variables[variable]
			return {variable, name, holds, arriving: given, local, contribution, before, after}
		})
	}
}

/** @type {(payload: T.Payload) => T.Pass} */
function prepare(payload) {
	const {graph, forward, sentences, language, interfaces = {}} = payload
	const {variables, functions, groups} = graph
	const own = navigator.language.slice(0, 2)
	const words = {...sentences, ...(interfaces[own] ?? payload.words)}
	const steps = payload.steps.map(step => ("status" in step ? step : withoutWords(step, payload)))
	const told = forward.map(call => {
		if (typeof call === "object") return call
		const {line, label} = functions[call]
		return {...untold(), function: call, line, heading: label}
	})
	const every = [...told, ...steps]
	const first = -told.length
	/** @type {Map<number | null, number>} */
	const calls = new Map(told.map((call, i) => [call.function, first + i]))
	const home = new Map(groups.flatMap(({items}, g) => items.map(item => [item, g])))
	/** @type {number[][]} */
	const inside = groups.map(() => [])
	/** @type {T.Pass} */
	const pass = {
		...{payload, variables, functions, words, steps, first, home, inside},
		language: own in interfaces ? own : language,
		last: steps.length - 1,
		word: (key, values = {}) => fill(words[key] ?? key, values).join(""),
		at: k => every[k - first],
		tell: (k, step) => void (every[k - first] = step),
		told: (k, part, isCovered) =>
			part === PARTS ? null : (pass.at(k).parts[isCovered ? 0 : part - 1] ?? null),
		made(item, k, part) {
			const f = variables[numberOf(item, "v")]?.creator ?? numberOf(item, "f")
			const call = calls.get(f) ?? first - 1
			return call === k && item[0] === "v" ? part - 1 : call > k ? 0 : PARTS
		},
		stepOf(item, k) {
			const [v, f] = [numberOf(item, "v"), numberOf(item, "f")]
			if (item.includes("[")) return null
			if (k < 0) return calls.get(f < 0 ? variables[v].creator : f) ?? null
			return (functions[f] ?? variables[v]).step
		},
		path(item) {
			const path = [item]
			for (let g = home.get(item); g; g = home.get(path[0])) path.unshift(`g${g}`)
			return path
		},
		joins(line, ...ends) {
			const groups = ends.map(pass.path)
			return line
				.split(" ")
				.every((end, i) => /[io]/.test(end) !== groups[i].includes(end.replace(/[io]/, "g")))
		},
		family(item) {
			const family = new Set(item.split(" "))
			const {creator, elements} = variables[numberOf(item, "v")] ?? {}
			const addCall = (f = -1) => {
				const {inputs = [], outputs = []} = functions[f] ?? {}
				for (const v of [...inputs, ...outputs]) if (v !== null) family.add(`v${v}`)
				family.add(`f${f}`)
			}
			if (item.includes("[")) {
				addCall(creator ?? -1)
				for (const one of elements?.feeds[numberOf(item, "\\[")] ?? []) family.add(one)
			} else if (/^f\d+$/.test(item)) addCall(numberOf(item))
			else if (family.size === 1)
				for (const one of family) {
					const {users = []} = variables[numberOf(one, "v")] ?? {}
					const {outputs = []} = functions[numberOf(one, "f")] ?? {}
					for (const f of users) if (functions[f].step !== null) family.add(`f${f}`)
					for (const y of outputs) if (variables[y ?? -1]?.step != null) family.add(`v${y}`)
				}
			return new Set([...family].flatMap(pass.path))
		},
		nameOf(item) {
			/** @type {Record<string, any[]>} */
			const lists = {v: variables, f: functions, g: groups}
			const {name, label = name} = lists[item[0]]?.[numberOf(item)] ?? {name: ""}
			return typeof label === "string" ? label : pass.word(label[0], label[1])
		}
	}
	functions.forEach(({step}, f) => {
		for (let g = home.get(`f${f}`); g; g = home.get(`g${g}`)) if (step !== null) inside[g].push(step)
	})
	return pass
}

/** @type {T.Numeral} */
function numeral({word}, number) {
	const {text, exact} = number ?? {text: "–", exact: word("not_yet")}
	return html("span", {class: "number", title: exact}, text)
}

/** @param {T.Num} number */
const isNumber = ({exact}) => Number.isFinite(Number(exact))

// --- the graph

/** @type {T.TextAt} */
const textAt = (style, x, y, text, anchor = "middle") =>
	svg("text", {class: style, x, y, "text-anchor": anchor}, text)

/** @type {T.ArrowHead} */
function arrowHead(style, [x, y], [fromX, fromY]) {
	const turn = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI
	const transform = `translate(${x} ${y}) rotate(${turn})`
	return svg("path", {class: style, d: "M0 0-7.4-3.1V3.1Z", transform})
}

/** @type {T.EdgeGroup} */
function edgeGroup({key, points, label, at}, carries) {
	const [start, ...others] = points.map(point => point.join(" "))
	const [before, end] = points.slice(-2)
	const d = `M${start}C${others.join(" ")}`
	const group = svg(
		"g",
		{class: "edge", "data-item": key.replace(/[io]/g, "g")},
		svg("path", {class: "reach", d}),
		svg("path", {class: "curve", d}),
		arrowHead("head", end, before)
	)
	// A gradient goes back; to a function, by the link to its creator.
	if (carries) group.append(arrowHead(key[0] === "f" ? "tie" : "back", points[0], points[1]))
	if (at) {
		const [x, y] = at
		const width = columnsOf(label) * 6.4
		const paper = {class: "paper", x: x - width / 2, y: y - 7, width, height: 14}
		group.append(svg("rect", paper), textAt("label", x, y + 4, label))
	}
	return group
}

/** @param {T.Point[]} points */
const edgeMiddle = ([a, b, c, d]) => [0, 1].map(i => (a[i] + 3 * b[i] + 3 * c[i] + d[i]) / 8)

/** @type {T.Curve} */
function curve(places, levels, bend) {
	/** @type {T.Point[]} */
	const points = [[places[0], levels[0]]]
	places.forEach((x, i) => {
		const y = levels[i >> 1]
		const [fromX, fromY] = points[points.length - 1]
		if (y === fromY && (x === fromX || y === levels[(i + 1) >> 1])) return
		const turn = fromX + (x - fromX) * (0.5 + Math.sign(fromY - y) * bend)
		points.push([turn, fromY], [turn, y], [x, y])
	})
	return points
}

/** @type {T.Compose} */
function compose(graph, open, g = 0) {
	const {items, shape} = graph.groups[g]
	const {width, height, boxes, lines} = graph.shapes[shape]
	const inner = items.map(item => open.has(item) && compose(graph, open, numberOf(item)))
	/** @type {Map<number, number>[]} by how much what is beyond a place moves, across and down */
	const moves = [new Map(), new Map([[0, g && FRAME]])]
	inner.forEach((scene, i) => {
		const [x, middle, wide, high] = boxes[i]
		const more = scene ? [scene.width - wide, scene.height - high] : []
		more.forEach((by, axis) => {
			const at = axis ? middle : x + wide - 1
			moves[axis].set(at, Math.max(moves[axis].get(at) ?? 0, by))
		})
	})
	const [across, down] = moves.map(
		beyond => (/** @type {number} */ at) =>
			[...beyond].reduce((sum, [from, by]) => sum + (by * (1 + Math.sign(at - from))) / 2, at)
	)
	/** @type {T.Scene} */
	const scene = {width: across(width), height: down(height), boxes: [], lines: [], ends: {}}
	const placed = boxes.map(([left, middle, ...size], i) => {
		const within = inner[i]
		const [wide, high] = within ? [within.width, within.height] : size
		const [x, y] = [across(left), down(middle) - high / 2]
		if (wide === 0) scene.ends[items[i][0]] = y
		else scene.boxes.push([items[i], [x, y, wide, high]])
		if (within) {
			for (const [item, [left, top, ...size]] of within.boxes)
				scene.boxes.push([item, [x + left, y + top, ...size]])
			for (const line of within.lines)
				scene.lines.push({...line, points: line.points.map(at => [x + at[0], y + at[1]])})
		}
		return {x, y, wide, high, ends: within ? within.ends : {}}
	})
	for (const [tail, head, ports, turns, levels, bend, position, label, at] of lines) {
		const [from, to] = [placed[tail], placed[head]]
		const rows = [
			from.y + (from.ends.o ?? ports[0] * from.high),
			...levels.map(down),
			to.y + (to.ends.i ?? ports[1] * to.high)
		]
		const stops = [from.wide && from.x + from.wide, ...turns.map(across), to.wide ? to.x : scene.width]
		const [key, points] = [`${items[tail]} ${items[head]}`, curve(stops, rows, bend)]
		scene.lines.push({key, points, position, label, at})
	}
	return scene
}

/** @type {T.BoxGroup} */
function boxGroup(kind, [x, y, width, height], rx, attributes) {
	const shape = svg("rect", {class: "shape", x, y, width, height, rx})
	return svg("g", {class: `box ${kind}`, role: "button", tabindex: 0, ...attributes}, shape)
}

/** @type {T.MakeBox} */
function variableBox({payload, variables, word}, v, box) {
	const {name, kind, shape = "", cut, states} = variables[v]
	/** @type {T.Placed} */
	const read = number => (typeof number === "number" ? payload.numbers[number] : number)
	const value = read(variables[v].value)
	const group = boxGroup(kind, box, 4, {"data-item": `v${v}`, "aria-pressed": false})
	const [middle, centre] = [box[0] + box[2] / 2, box[1] + box[3] / 2]
	/** @type {T.Write} */
	const write = (row, text) => {
		row.textContent = shorten(text)
		const room = box[2] - 8
		const isLong = columnsOf(row.textContent) * 8 > room
		put(row, {textLength: isLong ? room : null, lengthAdjust: "spacingAndGlyphs"})
		return row
	}
	const gradient = textAt("gradient", middle, centre + 23, "")
	const title = svg("title")
	group.append(
		textAt("name", middle, centre - 13, shorten(name)),
		write(textAt("value", middle, centre + 5, ""), value.text),
		gradient,
		title
	)
	/** @type {T.State | undefined} */
	let shown
	let wasUnvalued = false
	return {
		group,
		show(k, isUnvalued) {
			const state = states.findLast(([from]) => from <= k)
			if (state === shown && isUnvalued === wasUnvalued) return
			shown = state
			wasUnvalued = isUnvalued
			// Going forward nobody has asked for a gradient.
			const [, key = "", given = null, arrived, expected] = state ?? []
			const number = given === null ? null : read(given)
			const isCutToo = cut && key && key !== "cut"
			const values = {value: "", arrived, expected, how: cut}
			const told = (value = "") =>
				[key, ...(isCutToo ? ["cut"] : [])]
					.map(one => word(`state_${one}`, {...values, value}))
					.join(word("list"))
			const text = key && word(`box_${key}`, {...values, value: number?.text})
			write(gradient, isCutToo ? word("box_and_cut", {box: text}) : text)
			mark(group, "waiting", key !== "arrived")
			const whole = `${name} = ${value.exact} ${shape}`.trimEnd()
			title.textContent = key ? `${whole}\n${told(number?.exact)}` : isUnvalued ? name : whole
			const label = {name, value: value.text, state: told(number?.text)}
			const bare = isUnvalued ? name : `${name} = ${value.text}`
			put(group, {"aria-label": key ? word("variable_label", label) : bare})
		}
	}
}

/** @type {T.MakeBox} */
function functionBox({functions, at, word}, f, box) {
	const {label, source, step, turn} = functions[f]
	const [x, y, width, height] = box
	const key = step === null ? "function_unused_label" : "function_label"
	const title = [source ?? label, turn]
	const name = [word(key, {label, step}), turn]
	const group = boxGroup("function", box, 17, {"data-item": `f${f}`, "aria-pressed": false})
	group.append(textAt("", x + width / 2, y + height / 2 + 4.5, shorten(label)))
	const {check, texts} = step === null ? untold() : at(step)
	if (check === "disagrees") {
		const [right, top] = [x + width - 3, y + 3]
		const dot = {class: "shape", x: right - 9, y: top - 9, width: 18, height: 18, rx: 9}
		group.append(svg("g", "badge", svg("rect", dot), textAt("", right, top + 5, "≠")))
		title.push(texts.check ?? "")
		name.push(word("disagrees"))
	}
	group.append(svg("title", {}, title.filter(Boolean).join("\n")))
	put(group, {"aria-label": name.filter(Boolean).join(", ")})
	return {group, show: k => mark(group, "done", step !== null && step <= k)}
}

/** @type {T.MakeGroup} */
function groupBox(pass, g, [x, y, width, height], isOpen, press) {
	const steps = pass.inside[g]
	const size = steps.length
	const name = pass.nameOf(`g${g}`)
	const bar = isOpen ? FRAME : height
	const attributes = {onclick: press, "aria-expanded": isOpen}
	const group = boxGroup("group", [x, y, width, bar], 4, attributes)
	const row = textAt("value", x + width / 2, y + 35, "")
	group.append(textAt("name", x + width / 2, y + 18, shorten(`${isOpen ? "−" : "+"} ${name}`)), row)
	return {
		group,
		show(k) {
			const done = steps.filter(step => step <= k).length
			const told = size > 0 ? pass.word("group_done", {done, size}) : ""
			if (!isOpen) row.textContent = told
			put(group, {"aria-label": `${name} ${told}`})
			mark(group, "done", done > 0 && done === size)
		}
	}
}

/** @type {T.Contributions} */
function contributions(step, lines) {
	const found = lines.flatMap(({key, label, position, points}) => {
		const isInput = key[0] === "v" && key.endsWith(` f${step.function}`)
		const number = isInput ? step.products[position]?.contribution : null
		// Where an array's shape stands, there is no room for elements.
		if (label || !number) return []
		const [x, y] = edgeMiddle(points)
		return {x, y, text: shorten(number.text, 12)}
	})
	found.sort((a, b) => a.y - b.y)
	let free = -Infinity
	return found.map(({x, y, text}, i) => {
		// Above an edge, or below in the lower half of a bundle; if long, above the box.
		const isBelow = i > 0 && i >= found.length / 2
		const isLong = text.length > 5
		const above = isLong && found.length === 1 ? -22 : -8
		const at = Math.max(y + (isBelow ? 16 : above), free)
		free = at + 15
		return textAt("contribution", isLong ? x - 22 : x, at, text, isLong ? "start" : "middle")
	})
}

/** @type {T.MakeGraphView} */
function graphView(pass, light) {
	const {word} = pass
	const {graph} = pass.payload
	const isFolded = graph.height !== null
	const drawing = svg("svg", {class: "drawing", role: "group", "aria-label": word("graph")})
	const view = html("div", "graph", drawing)
	let scene = compose(graph, new Set())
	/** @type {{line: T.Line, group: SVGElement}[]} */
	let lines = []
	/** @type {Map<T.Item, T.Drawn>} */
	let boxes = new Map()
	const labels = svg("g", {"aria-hidden": true})
	/** @type {Parameters<T.Show>} */
	let shown = [0, PARTS, false]
	const opened = new Set(graph.open)
	let open = new Set(graph.open)
	let follows = true
	let frame = 0
	let zoom = 0
	let found = ""
	let part = [0, 0, 0, 0]

	const target = () => {
		const {function: f, products} = pass.at(shown[0])
		return f === null ? `v${products[0]?.variable}` : `f${f}`
	}
	const wanted = () => new Set([...opened, ...(follows ? pass.path(target()).slice(0, -1) : [])])
	const seen = (item = "") => pass.path(item).find(one => !open.has(one)) ?? item
	const scale = () => drawing.clientWidth / scene.width || 1

	function paint() {
		const focused = [...boxes].find(([, {group}]) => hasFocus(group))?.[0]
		scene = compose(graph, (open = wanted()))
		const kept = focused && seen(focused)
		const {width, height} = scene
		const [x, y, wide, high] = part
		/** @param {number[]} box */
		const isNear = ([left, top, width, height]) =>
			!isFolded ||
			(left < x + 1.5 * wide &&
				top < y + 1.5 * high &&
				left + width > x - wide / 2 &&
				top + height > y - high / 2)
		lines = scene.lines.flatMap(line => {
			const [[left, right], [top, bottom]] = [0, 1].map(axis => {
				const places = line.points.map(point => point[axis])
				return [Math.min(...places), Math.max(...places)]
			})
			if (!isNear([left, top, right - left, bottom - top])) return []
			const isConstant = pass.variables[numberOf(line.key, "v")]?.kind === "constant"
			return {line, group: edgeGroup(line, !isConstant)}
		})
		/** @type {(item: T.Item, box: T.Box) => T.Drawn} */
		const make = (item, box) => {
			const number = numberOf(item)
			if (item[0] === "v") return variableBox(pass, number, box)
			if (item[0] === "f") return functionBox(pass, number, box)
			return groupBox(pass, number, box, open.has(item), () => fold(item))
		}
		// Tab goes from left to right.
		const near = scene.boxes.filter(([item, box]) => item === kept || isNear(box))
		near.sort(([, [a]], [, [b]]) => a - b)
		boxes = new Map(near.map(([item, box]) => [item, make(item, box)]))
		const frames = scene.boxes.flatMap(([item, [x, y, width, height]]) =>
			open.has(item) ? svg("rect", {class: "shape", x, y, width, height, rx: 4}) : []
		)
		drawing.replaceChildren(
			...frames,
			svg("g", {"aria-hidden": true}, ...lines.map(({group}) => group)),
			svg("g", {}, ...[...boxes.values()].map(({group}) => group)),
			labels
		)
		put(drawing, {viewBox: `0 0 ${width} ${height}`})
		// As style: style sheets of hosts scale every svg.
		const [least, most] = isFolded ? [zoom, zoom] : [LEAST_SCALE, 1]
		drawing.style.width = `clamp(${least * width}px, 100%, ${most * width}px)`
		show(...shown)
		light()
		if (kept) focus(boxes.get(kept)?.group)
		const hit = boxes.get(found)
		if (hit) mark(hit.group, "found", true)
	}

	function look() {
		const {scrollLeft, scrollTop, clientWidth, clientHeight} = view
		const now = [scrollLeft, scrollTop, clientWidth, clientHeight].map(one => one / scale())
		frame = 0
		if (!isFolded || now.every((one, i) => Math.abs(one - part[i]) < part[2 + (i % 2)] / 3)) return
		part = now
		paint()
	}

	function bringInSight(item = "") {
		const at = seen(item)
		const box = scene.boxes.find(([one]) => one === at)?.[1].map(length => length * scale())
		if (box) scrollInside(view, box, 150)
		look()
	}

	/** @type {T.Show} */
	function show(k, part, isCovered) {
		const step = pass.at(k)
		const isAdded = part === PARTS
		const queued = new Set(isAdded ? step.waiting.map(f => seen(`f${f}`)) : [])
		const added = step.products.filter(({contribution}) => isAdded && contribution)
		const changed = new Set(added.map(({variable}) => seen(`v${variable}`)))
		const now = step.function === null ? changed : new Set([seen(target())])
		for (const [item, {group, show}] of boxes) {
			const made = pass.made(item, k, part)
			show(isAdded ? k : k - 1, made === 1)
			markNow(group, now.has(item))
			mark(group, "unmade", made === 0)
			mark(group, "unvalued", made === 1)
			mark(group, "queued", queued.has(item))
			mark(group, "changed", changed.has(item))
		}
		const f = `f${step.function}`
		const {inputs = [], outputs = []} = pass.functions[step.function ?? -1] ?? {}
		for (const {line, group} of lines) {
			const {key} = line
			const isLit =
				inputs.some(v => pass.joins(key, `v${v}`, f)) || outputs.some(v => pass.joins(key, f, `v${v}`))
			const isUnmade = key.split(" ").some(end => pass.made(end, k, part) === 0)
			mark(group, "now", isLit)
			mark(group, "unmade", isUnmade)
		}
		const drawn = part > 1 && !isCovered ? lines.map(({line}) => line) : []
		labels.replaceChildren(...contributions(step, drawn))
	}

	function fold(group = "") {
		if (!open.has(group)) opened.add(group)
		else if (!opened.delete(group) || wanted().has(group)) follower.click()
		paint()
	}

	function zoomTo(to = 1, x = view.clientWidth / 2, y = view.clientHeight / 2) {
		const {scrollLeft, scrollTop} = view
		const from = scale()
		zoom = Math.min(Math.max(to, SCALES[0]), SCALES[1])
		paint()
		view.scrollLeft = ((scrollLeft + x) * zoom) / from - x
		view.scrollTop = ((scrollTop + y) * zoom) / from - y
		look()
	}
	const fit = () => Math.min(view.clientWidth / scene.width, view.clientHeight / scene.height, 1)

	function find() {
		const text = field.value.toLowerCase()
		const has = (item = "") => pass.nameOf(item).toLowerCase().includes(text)
		const hits = text ? [...pass.home.keys()].filter(has) : []
		found = hits[hits.indexOf(found) + 1] ?? hits[0] ?? ""
		mark(field, "disagrees", text !== "" && found === "")
		for (const group of pass.path(found).slice(0, -1)) opened.add(group)
		paint()
		bringInSight(found)
	}

	/** @type {T.MakeTool} */
	const tool = (key, press, text = word(key)) => button({class: "part", "aria-label": word(key)}, press, text)
	const follower = tool("follow", () => {
		follows = !follows
		put(follower, {"aria-pressed": follows})
		paint()
		bringInSight(target())
	})
	const name = word("find")
	const onkeydown = (/** @type {KeyboardEvent} */ {key}) => key === "Enter" && find()
	const field = html("input", {class: "field", "aria-label": name, placeholder: name, onkeydown})
	const tools = [
		tool("zoom_out", () => zoomTo(zoom / ZOOM), "−"),
		tool("zoom_in", () => zoomTo(zoom * ZOOM), "+"),
		tool("zoom_fit", () => zoomTo(fit())),
		follower,
		field
	]
	if (isFolded) {
		view.style.height = `${graph.height}px`
		put(view, {
			onscroll: () => (frame ||= requestAnimationFrame(look)),
			onwheel(event) {
				if (!event.ctrlKey) return
				event.preventDefault()
				const {left, top} = view.getBoundingClientRect()
				zoomTo(zoom * 0.998 ** event.deltaY, event.clientX - left, event.clientY - top)
			},
			onpointermove({buttons, pointerType, target, movementX, movementY}) {
				if (buttons === 1 && pointerType === "mouse" && !target.closest(".ipygrad-box"))
					view.scrollBy(-movementX, -movementY)
			}
		})
	}
	put(follower, {"aria-pressed": true})
	paint()
	return {
		element: isFolded ? html("div", {}, html("div", "controls", ...tools), view) : view,
		show(...now) {
			shown = now
			if (isFolded && String([...open]) !== String([...wanted()])) paint()
			else show(...now)
		},
		scroll() {
			if (isFolded && zoom === 0 && view.clientWidth > 0) zoomTo(Math.max(fit(), LEAST_SCALE))
			bringInSight(target())
		}
	}
}

// --- code, step, plot, table

/** @type {T.MakeView<T.CodeView>} */
function codeView(pass) {
	const {code} = pass.payload
	const {first = 1, lines = [], expressions = [], items = [], untaken = []} = code ?? {}
	const list = html("div", {class: "lines", role: "list"})
	const box = html("div", {class: "code", role: "group", "aria-label": pass.word("code")}, list)
	/** @type {(part: T.Part) => Node | string} */
	const node = part => {
		if (typeof part === "string") return part
		const [items, ...inner] = part
		return html("span", {class: "expression", "data-item": items}, ...inner.map(node))
	}
	const rows = lines.map((_, i) => {
		const text = html("span", {}, ...expressions[i].map(node))
		const row = html(items[i] ? "button" : "span", {class: "line", "data-item": items[i] || null})
		row.append(html("span", "line-number", String(first + i)), text)
		if (untaken.includes(first + i)) put(text, {class: "untaken", title: pass.word("untaken")})
		list.append(html("div", {role: "listitem"}, row))
		return row
	})
	return {
		element: html("div", "code-panel", box),
		show(k) {
			const {line, function: f} = pass.at(k)
			rows.forEach((row, i) => markNow(row, first + i === line))
			for (const one of list.querySelectorAll(".ipygrad-expression"))
				mark(one, "now", itemsOf(one).includes(`f${f}`))
		},
		scroll() {
			const lit = list.querySelector("[aria-current]")
			if (lit && box.scrollHeight > box.clientHeight) scrollToLine(box, lit)
		}
	}
}

/** @type {T.IsForetold} */
function isForetold(said, {exact}) {
	const value = Number(exact)
	const sign = {"+": 1, "-": -1, "−": -1}[said]
	if (sign) return Math.sign(value) === sign
	const room = value === 0 ? 0 : 0.501 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1)
	return Math.abs(Number(said.replace("−", "-").replace(",", ".")) - value) <= room
}

const TEXTS = ["sentence", "notes", "turns", "check", "source"]

/** @type {T.MakeStepView} */
function stepView(pass, reveal) {
	const {steps, word} = pass
	const {room} = pass.payload
	const heading = html("span", {role: "heading", "aria-level": 3})
	const texts = TEXTS.flatMap(name =>
		steps.some(({isLean, texts}) => texts[name] || (isLean && name === "notes"))
			? {name, text: html(name === "source" ? "pre" : "span")}
			: []
	)

	/** @type {T.Sized} */
	function sized(text, name) {
		const ghosts = (room.texts[name] ?? []).map(ghost =>
			html(text.localName, {class: "ghost", "data-text": ghost, "aria-hidden": true})
		)
		return html("div", `sized ${name}`, text, ...ghosts)
	}

	// Room for any step's boxes; longer lists scroll in it.
	const products = html("div", ["products", ...room.styles].join(" "))
	for (const [name, count] of Object.entries(room.counts))
		products.style.setProperty(`--ipygrad-${name}`, String(count))

	const sign = (text = "", label = "") =>
		html("span", {class: "sign", ...(label && {role: "img", "aria-label": label})}, text)
	/** @type {T.Factor} */
	function factor(caption, number, style = "", formula = null) {
		const amount = html("span", "amount", numeral(pass, number), ...(formula ? [typeset(formula)] : []))
		return html("span", `factor ${style}`, html("span", {class: "caption", title: caption}, caption), amount)
	}

	/** @type {string[][]} */
	const predicted = []

	function field(name = "") {
		const label = word("predict", {name})
		const onkeydown = (/** @type {KeyboardEvent} */ event) =>
			event.key === "Enter" && isPlain(event) && reveal()
		return html("input", {class: "field", title: label, "aria-label": label, onkeydown})
	}

	/** @type {T.ProductRow} */
	function productRow(product, i, k, isCovered) {
		const {name, variable, arriving, contribution, before, after, summed, equation} = product
		const f = pass.at(k).function
		const item = `v${variable}${f === null ? "" : ` f${f}`}`
		const row = html("div", {class: "product", role: "group", "aria-label": name, "data-item": item})
		if (contribution === null) {
			row.append(html("div", "sum none", word("no_gradient", {name})))
			return row
		}
		const result = factor(word(arriving ? "contribution" : "start", {name}), contribution, "result")
		const amount = result.lastElementChild
		const said = predicted[k]?.[i]
		if (isCovered) amount.replaceChildren(isNumber(contribution) ? field(name) : "?")
		else if (said) {
			const key = isForetold(said, contribution) ? "foretold" : "not_foretold"
			amount.append(html("span", key, word(key, {said})))
		}
		row.append(html("div", summed ? "equation summed" : "equation", result))
		const change = html("span", "change")
		const sum = html("div", "sum", change)
		if (arriving) {
			result.before(
				factor(word("arriving"), arriving),
				sign("×"),
				factor(word("local"), product.local, "local", product.formula),
				product.holds ? sign("=") : sign("≠", word("not_equal"))
			)
			const [old, now] = [numeral(pass, before), numeral(pass, after)]
			change.append(...fill(pass.words.added, {before: old, after: now}))
		}
		if (summed) {
			result.before(factor(word("product"), summed.before), sign("→", summed.text))
			sum.prepend(html("span", "change", summed.text))
		}
		if (equation) row.append(html("div", "working", typeset(equation)))
		const isRounded = after && isNumber(after) && Number(after.text) !== Number(after.exact)
		sum.append(html("span", "exact", isRounded ? word("exactly", {value: after.exact}) : ""))
		row.append(sum)
		return row
	}

	/** @type {(call: T.Step, part: number) => Element} */
	function callRow({function: f, factors = []}, part) {
		const boxes = factors.flatMap(([caption, number, style], i) => [
			...(i > 0 ? [sign("→")] : []),
			factor(caption, i < 2 || part === PARTS ? number : null, style)
		])
		return html("div", {class: "product", "data-item": `f${f}`}, html("div", "equation", ...boxes))
	}

	return {
		heading: sized(heading, "heading"),
		products,
		text: html("div", "text", ...texts.map(({name, text}) => sized(text, name))),
		predict(k) {
			const inputs = [...products.children].map(row => row.querySelector("input"))
			predicted[k] = inputs.map(input => input?.value.trim() ?? "")
		},
		show(k, part, isCovered) {
			const step = pass.at(k)
			heading.textContent = step.heading
			for (const {name, text} of texts) {
				const said = name === "sentence" && pass.told(k, part, isCovered)
				text.textContent = said || step.texts[name] || ""
				if (name === "check") put(text, {class: step.check})
			}
			mark(products, "list", step.products.length > MOST_PRODUCTS)
			const rows = step.products.map((one, i) => productRow(one, i, k, isCovered))
			products.replaceChildren(...(k < 0 ? [callRow(step, part)] : rows))
		},
		scroll() {
			products.scrollTop = 0
		}
	}
}

/** @type {T.MakeChainView} */
function chainView(pass, close) {
	const {variables, functions} = pass
	const name = pass.word("chain")
	const body = html("div", "paths")
	const region = {class: "chain", role: "group", "aria-label": name}
	const element = html("div", region, body, control(pass, "close", close))

	/** @type {(v: number) => T.Children} */
	function grid(v) {
		const {name, elements} = variables[v]
		if (!elements) return []
		if (elements.more) return [html("div", {}, html("b", {}, name), ` ${elements.more}`)]
		const cells = elements.texts.map((text, i) =>
			html("button", {class: "cell", "data-item": `v${v}[${i}]`}, text)
		)
		const box = html("div", {class: "grid", role: "group", "aria-label": name}, ...cells)
		box.style.setProperty("--ipygrad-columns", String(elements.columns))
		return [html("div", {}, html("b", {}, name), box)]
	}

	return {
		element,
		select(item, isLinked) {
			const inputs = functions[numberOf(item ?? "", "f")]?.inputs ?? []
			const v = [numberOf(item ?? "", "v"), ...inputs].find(
				v => variables[v] && (variables[v].chain !== null || variables[v].elements)
			)
			element.hidden = v === undefined
			if (v === undefined) return null
			const {chain, creator} = variables[v]
			const {paths = [], more = "", total = null} = chain ?? {}
			const list = html("div", {role: "list"})
			const add = (/** @type {string} */ style, /** @type {Node | string} */ line) =>
				list.append(html("div", {class: style, role: "listitem"}, line))
			for (const {factors, ...path} of paths) {
				const math = typeset(path)
				// A product of derivatives, each a fraction, comes first.
				factors.forEach((item, i) => put(math.querySelectorAll("mfrac")[i], {"data-item": item}))
				add("route", math)
			}
			const {waiting = "", rest = ""} = pass.payload.graph.untold ?? {}
			if (chain === undefined) add("route", isLinked ? waiting : rest)
			if (more) add("route", more)
			if (total) add("total", typeset(total))
			const made = new Set([v, ...(functions[creator ?? -1]?.inputs ?? [])])
			body.replaceChildren(
				html("b", {}, `${name}: `, ...(chain ? [typeset(chain.heading)] : [])),
				list,
				html("div", "grids", ...[...made].flatMap(grid))
			)
			return chain === undefined ? v : null
		}
	}
}

/** @type {(pass: T.Pass) => T.PlotView} */
function plotView({steps, word}) {
	const most = Math.max(...steps.map(({columns}) => columns))
	const element = html("div", "plot")
	/** Kept, because an image shows its old picture until it has the new one.
	 * @type {HTMLImageElement[]} */
	const images = []
	/** @type {T.PlotView["draw"]} */
	function draw(plot, words, step) {
		mark(element, "empty", plot === null)
		if (plot === null) return element.replaceChildren(words)
		const {columns, heading} = step
		const count = Math.max(1, columns)
		const src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(plot)}`
		const alt = word("plot", {heading})
		for (let i = 0; i < count; i += 1) {
			const image = (images[i] ??= html("img", "image"))
			put(image, {src, alt: i === 0 ? alt : ""})
			mark(image, "column", count > 1)
			image.style.objectPosition = count > 1 ? `${(100 * i) / (count - 1)}%` : ""
			image.onerror = () => draw(null, word("plot_none"), step)
		}
		element.replaceChildren(...images.slice(0, count))
	}
	return {element: most > 0 ? element : null, isPair: most > 1, draw}
}

/** @type {T.MakeView<T.TableView>} */
function tableView({payload, word}) {
	const {columns, rows, row_steps: rowSteps, row_items: rowItems} = payload.table
	const body = html("tbody")
	const head = html("tr", {}, ...columns.map(text => html("th", {scope: "col"}, text)))
	const box = html("div", "table-box", html("table", "table", html("thead", {}, head), body))
	const ontoggle = () => {
		view.show(shown, PARTS, false)
		view.scroll()
	}
	const element = html("details", {class: "details", ontoggle}, html("summary", {}, word("table")), box)

	/** @type {(row: string[], i: number) => Element} */
	function tableRow([first = "", ...others], i) {
		const k = rowSteps[i]
		const go = html("button", {class: "go", "aria-label": word("go", {step: k})}, first)
		const row = {class: "row", "data-item": rowItems[i], "data-step": k}
		return html("tr", row, ...[go, ...others].map(cell => html("td", {}, cell)))
	}

	/** @type {Element[]} */
	let lit = []
	let shown = 0
	const view = {
		element,
		/** @type {T.Show} */
		show(k) {
			shown = k
			if (!element.open) return
			if (!body.firstChild) body.append(...rows.map(tableRow))
			for (const row of lit) markNow(row, false)
			lit = [...body.children].slice(rowSteps.indexOf(k), rowSteps.lastIndexOf(k) + 1)
			for (const row of lit) markNow(row, true)
		},
		scroll() {
			if (lit[0] && element.open) scrollToLine(box, /** @type {HTMLElement} */ (lit[0]))
		}
	}
	return view
}

// --- controls

const ICONS = {
	first: "M4 3v10M12 3 6 8l6 5",
	previous: "M10.5 3 5 8l5.5 5",
	play: "M5 3l8 5-8 5z",
	pause: "M5.5 3v10M10.5 3v10",
	next: "M5.5 3 11 8l-5.5 5",
	last: "M12 3v10M4 3l6 5-6 5",
	close: "M4 4l8 8M12 4l-8 8"
}

/** @type {T.Control} */
function control({word}, key, press) {
	const name = word(key)
	const element = button(
		{class: `button ${key}`, "aria-label": name, title: name},
		() => element.getAttribute("aria-disabled") !== "true" && press(),
		svg("svg", {viewBox: "0 0 16 16", "aria-hidden": true}, svg("path", {d: ICONS[key]}))
	)
	return element
}

/** @type {T.Toggle} */
const disable = (control, is) => put(control, {"aria-disabled": is || null})

/** @type {T.MakeView<T.ControlsView>} */
function controlsView(pass, {now, first: least, begin, go, toggle, hurry}) {
	const {last, word} = pass
	const first = control(pass, "first", () => go(least()))
	const previous = control(pass, "previous", () => go(now() - 1))
	const play = control(pass, "play", toggle)
	const next = control(pass, "next", () => go(now() + 1))
	const end = control(pass, "last", () => go(last))
	const range = {type: "range", max: last, step: 1, "aria-label": word("step")}
	const slider = html("input", {...range, oninput: () => go(slider.value)})
	const position = html("span", {class: "position", "aria-hidden": true})
	const options = SPEEDS.map(one => new Option(`${one}×`, `${one}`, one === 1, one === 1))
	const onchange = () => hurry(Number(speed.value))
	const speed = html("select", {"aria-label": word("speed"), onchange}, ...options)
	/** @type {(key: string, ...buttons: T.Children) => any} */
	const group = (key, ...buttons) =>
		html("div", {class: "parts", role: "group", "aria-label": word(key)}, ...buttons)
	const forward = button({class: "part"}, () => begin(true), word("forward"))
	const backward = button({class: "part"}, () => begin(false), word("backward"))
	const direction = pass.first < 0 ? [group("direction", forward, backward)] : []
	const parts = PART_KEYS.map((_, i) => button({class: "part"}, () => now() !== 0 && go(now(), i + 1)))
	const status = html("div", {class: "status", role: "status"})
	disable(play, last === 0)
	return {
		element: html("div", "controls", first, previous, play, next, end, slider, position, speed, ...direction),
		status,
		parts: html("div", {}, group("parts", ...parts)),
		show(k, part, isCovered) {
			const told = pass.told(k, part, isCovered) ?? pass.at(k).status
			const from = least()
			put(slider, {min: from, "aria-valuetext": told})
			slider.value = k
			status.textContent = told
			const [at, of] = k < 0 ? [k - pass.first + 1, -pass.first] : [k, last]
			const step = part < PARTS ? `${at}.${part}` : at
			position.textContent = word(k < 0 ? "position_forward" : "position", {step, last: of})
			parts.forEach((control, i) => {
				control.textContent = word((k < 0 ? CALL_KEYS : PART_KEYS)[i])
				markNow(control, k !== 0 && i + 1 === part)
				disable(control, k === 0)
			})
			for (const control of [first, previous]) disable(control, k === from)
			for (const control of [next, end]) disable(control, k === last && !isCovered)
			put(forward, {"aria-pressed": from < 0})
			put(backward, {"aria-pressed": from === 0})
		},
		showPlaying(is) {
			const key = is ? "pause" : "play"
			put(play, {"aria-label": word(key), title: word(key)})
			put(play.querySelector("path"), {d: ICONS[key]})
		},
		focus: () => focus(slider)
	}
}

/** @type {T.MakeView<T.SizesView>} */
function sizesView({payload}, {go}) {
	if (!payload.sizes) return {elements: [], show() {}}
	const {bars, dead, saturated, text} = payload.sizes
	const path = (style = "", d = [""]) => svg("path", {class: style, d: d.join("")})
	const now = path("bar-now")
	const shown = bars.map((b, k) => (b === null ? "" : `M${k + 0.5} 1V${0.95 - 0.9 * b}`))
	// A cross is as wide as it is high in a column of 900 px.
	const wide = Math.min(0.6, bars.length * 0.012)
	const marks = [
		...dead.map(k => `M${k + 0.5 - wide / 2} .7l${wide} .3m0-.3${-wide} .3`),
		...saturated.map(k => `M${k + 0.1} .1h.8`)
	]
	const onclick = (/** @type {MouseEvent} */ {offsetX}) =>
		go(Math.floor((offsetX / drawing.clientWidth) * bars.length))
	const size = {viewBox: `0 0 ${bars.length} 1`, preserveAspectRatio: "none"}
	const attributes = {class: "bars", role: "img", "aria-label": text, onclick, ...size}
	const drawing = svg("svg", attributes, now, path("bar", shown), path("bar-mark", marks))
	return {elements: [drawing, html("div", "caption", text)], show: k => put(now, {d: `M${k + 0.5} 1V0`})}
}

/** @type {T.MakeKnobs} */
function knobsView({payload, word}, turn, keep) {
	const {knobs, knobs_more: more} = payload
	const told = html("span", {class: "told", role: "log"})
	/** @type {T.Values} */
	let values = {}
	/** @param {T.Values} to */
	const move = to => {
		view.set(to)
		turn(to)
	}
	const rows = knobs.map(({name, value, bound}, i) => {
		/** @type {T.MakeTool} */
		const input = (key, oninput, type = "number") => {
			const label = word(key, {name})
			return html("input", {type, step: "any", title: label, "aria-label": label, oninput})
		}
		const set = (now = 0) => move({...values, [i]: now})
		const slider = input("knob", () => set(Number(slider.valueAsNumber.toPrecision(4))), "range")
		const field = input("knob", () => field.value !== "" && set(field.valueAsNumber))
		const low = input("knob_low", () => put(slider, {min: low.value}))
		const high = input("knob_high", () => put(slider, {max: high.value}))
		put(slider, {min: -bound, max: bound})
		low.value = -bound
		high.value = bound
		const show = () => {
			for (const one of [slider, field])
				if (!hasFocus(one) || one.valueAsNumber !== values[i]) one.value = values[i] ?? value ?? 0
		}
		return {element: html("div", "knob", html("b", {}, name), field, low, slider, high), show}
	})
	const fields = html(
		"fieldset",
		"knobs",
		...rows.map(({element}) => element),
		more,
		button({}, () => move({}), word("reset")),
		button({title: word("keep_title")}, keep, word("keep"))
	)
	const summary = html("summary", {}, word("what_if"))
	/** @type {T.KnobsView} */
	const view = {
		element: html("details", "what-if", ...(knobs.length > 0 ? [summary, fields, told] : [])),
		set(to) {
			values = to
			for (const {show} of rows) show()
		},
		rest(is) {
			if (is && hasFocus(fields)) focus(summary)
			fields.disabled = is
			view.say(is ? word("knobs_rest") : "")
		},
		say(text = "") {
			told.textContent = text
		}
	}
	view.element.hidden = knobs.length === 0
	view.set({})
	view.rest(true)
	return view
}

// --- keys

/** @type {T.ListenToKeys} */
function listenToKeys(root, {now, go, toggle, turn}, signal) {
	/** @type {Record<string, (() => void) | undefined>} */
	const actions = {
		ArrowLeft: () => go(now() - 1),
		ArrowRight: () => go(now() + 1),
		ShiftArrowLeft: () => turn?.(-1),
		ShiftArrowRight: () => turn?.(1),
		Home: () => go(-Infinity),
		End: () => go(Infinity),
		" ": toggle
	}
	/** @type {T.OnKey} */
	function onKey(event) {
		const {target, key} = event
		if (event.defaultPrevented || event.isComposing || !(target instanceof Element)) return
		const isPart = event.shiftKey && key.startsWith("Arrow")
		if (!isPlain(event, isPart)) return
		if (target.closest("input:not([type=range]), textarea, select, [contenteditable]")) return
		const isPress = key === " " || key === "Enter"
		const isOwn = isPress ? target.closest("button, summary, a") : target.matches("input") && !isPart
		// A box of the graph does not press itself.
		const isBox = isPress && target.matches("[tabindex]")
		const click = () => target.dispatchEvent(new MouseEvent("click", {bubbles: true}))
		const action = isBox ? click : actions[isPart ? `Shift${key}` : key]
		if (!action && !isOwn) return
		event.stopPropagation()
		if (isOwn) return
		event.preventDefault()
		action?.()
	}

	/** @type {T.OnKey} */
	function lift(event) {
		if (!root.isConnected) return ignore()
		const isChord = event.ctrlKey || event.metaKey || event.altKey
		const isRun = event.shiftKey && event.key === "Enter"
		if (!isChord && !isRun && event.key !== "Escape") return
		const path = event
			.composedPath()
			.flatMap(one => (one instanceof Element && one.hasAttribute(SUPPRESS) ? one : []))
		if (!root.contains(path[0] ?? null)) return
		for (const one of path) put(one, {[SUPPRESS]: null})
		setTimeout(() => path.forEach(one => put(one, {[SUPPRESS]: true})))
	}
	const ignore = () => window.removeEventListener("keydown", lift, true)
	const listen = () => window.addEventListener("keydown", lift, true)
	/** @param {FocusEvent} event */
	const onFocusOut = ({relatedTarget}) => {
		if (!(relatedTarget instanceof Node && root.contains(relatedTarget))) ignore()
	}
	root.addEventListener("keydown", onKey, {signal})
	root.addEventListener("focusin", listen, {signal})
	root.addEventListener("focusout", onFocusOut, {signal})
	return ignore
}

// --- the stepper

const models = () => (globalThis.__ipygrad ??= new Map())

/** @type {T.Mount} */
export function mount(root, payload, {id, model} = {}) {
	const replaced = [...root.childNodes]
	let pass = prepare(payload)
	/** @type {ReturnType<typeof draw>} */
	let drawn
	/** @type {(string | null | undefined)[]} undefined where one may still come */
	let plots = []
	/** @type {Set<number>} */
	const asked = new Set()
	/** @type {T.Values} */
	let values = {}
	/** @type {T.Values | null} */
	let wanted = null
	let isBusy = false
	/** @type {T.KnobsView} */
	let knobs
	let step = Math.min(Math.max(Number(payload.start) || 0, 0), pass.last)
	let part = PARTS
	let speed = 1
	let revealed = Infinity
	/** @type {T.Item | null} */
	let selected = null
	let first = 0
	let timer = 0
	let frame = 0
	let width = root.clientWidth
	let unlink = () => {}
	/** @type {T.Model | null} */
	let linked = null
	/** @type {T.Model | null} */
	let lastLinked = null
	let isAttached = false
	const gone = new AbortController()

	function show(k = 0, to = PARTS) {
		step = k
		part = to
		const isCovered = k > revealed
		const now = pass.at(k)
		if (now.isLean) {
			const sentence = pass.word(linked ? "words_waiting" : "words_rest")
			now.texts = {sentence}
			// The announcement waits for the words.
			now.status = linked ? "" : `${now.heading}. ${sentence}`
		}
		for (const view of drawn.views) view.show(k, part, isCovered)
		for (let i = 1; i < PARTS; i += 1) mark(root, `part-${i}`, part === i)
		mark(root, "covered", isCovered)
		mark(root, "forward", k < 0)
		drawn.table.hidden = revealed < pass.last
		showPlot()
		if (selected) light()
		// Scrolling measures: once a frame, when that is laid out anyway.
		frame ||= requestAnimationFrame(scroll)
	}

	function scroll() {
		frame = 0
		for (const view of drawn.views) view.scroll?.()
	}

	function showAgain() {
		if (pass.at(step).isLean) show(step, part)
		else showPlot()
		if (selected) select(selected)
	}

	/** @type {T.Go} */
	function move(k, to = PARTS) {
		if (step > revealed && (k > step || (k === step && to === PARTS))) return reveal()
		const next = Math.min(Math.max(Math.round(Number(k)) || 0, first), pass.last, revealed + 1)
		const shown = next > revealed ? Math.min(to, PARTS - 1) : next === 0 ? PARTS : to
		if (next !== step || shown !== part) show(next, shown)
		push()
	}

	function reveal() {
		drawn.words.predict(step)
		revealed = step
		const isFocused = hasFocus(root)
		show(step, PARTS)
		if (isFocused) drawn.controls.focus()
	}

	/** @type {T.Go} */
	function go(k, to) {
		pause()
		move(k, to)
	}

	/** @param {T.Item | null} item */
	function select(item) {
		selected = item
		const variable = drawn.chain.select(item, linked !== null)
		light()
		if (variable !== null) tell({type: "chain", variable, values})
	}

	function light() {
		const family = selected ? pass.family(selected) : new Set()
		for (const element of root.querySelectorAll("[data-item]")) {
			const items = itemsOf(element)
			const isSelected = selected !== null && items.includes(selected)
			mark(element, "selected", isSelected)
			mark(
				element,
				"path",
				items.some(one => one.split(" ").every(end => family.has(end)))
			)
			if (element.hasAttribute("aria-pressed")) put(element, {"aria-pressed": isSelected})
		}
	}

	/** @type {T.Press} */
	function press({target}) {
		const element = target instanceof Element ? target.closest("[data-item]") : null
		if (!element || /** @type {Element} */ (target).matches("input")) return
		const row = element.getAttribute("data-step")
		const steps = itemsOf(element)
			.map(item => ({item, k: Number(row ?? pass.stepOf(item, step) ?? step)}))
			.sort((a, b) => a.k - b.k)
		const {item, k} = steps.find(one => one.k > step) ?? steps[0]
		const isAgain = item === selected && k === step
		go(k)
		if (revealed >= pass.last) select(isAgain ? null : item)
	}

	function pause() {
		if (timer === 0) return
		clearInterval(timer)
		timer = 0
		drawn.controls.showPlaying(false)
	}

	function play() {
		if (timer !== 0 || !isAttached || pass.last === 0) return
		if (step === pass.last) move(first)
		timer = window.setInterval(() => {
			move(step + 1)
			if (step === pass.last) pause()
		}, PLAY_MS / speed)
		drawn.controls.showPlaying(true)
	}

	/** @type {T.Actions} */
	const actions = {
		now: () => step,
		first: () => first,
		begin(isForward) {
			first = isForward ? pass.first : 0
			go(first)
			show(step, part)
		},
		go,
		toggle: () => (timer === 0 ? play() : pause()),
		turn(by) {
			const to = part + by
			if (to > PARTS && step < pass.last) go(step + 1, 1)
			else if (to < 1 || (step === 0 && by < 0)) go(step - 1)
			else if (step !== 0) go(step, Math.min(to, PARTS))
		},
		hurry(to) {
			speed = to
			if (timer === 0) return
			pause()
			play()
		}
	}

	function showPlot() {
		const plot = plots[step]
		const now = pass.at(step)
		const isWaiting = linked && now.columns > 0 && plot === undefined
		const key = isWaiting ? "plot_waiting" : step < 0 ? "plot_forward" : "plot_none"
		drawn.plot.draw(plot ?? null, pass.word(key), now)
		// Words take longer than a step: they are asked for where one stays.
		if (!linked || !(now.isLean ? asked.size === 0 : isWaiting && !asked.has(step))) return
		asked.add(step)
		tell({type: "plot", step, values})
	}

	function tell(message = {}) {
		try {
			linked?.send(message)
		} catch {
			unlink()
		}
	}

	/** @type {T.TurnKnobs} */
	function turn(to) {
		wanted = to
		if (isBusy || !linked) return
		isBusy = true
		wanted = null
		tell({type: "what_if", step: Math.max(step, 0), values: to})
		setTimeout(() => isBusy && knobs.say(pass.word("knobs_wait")), PATIENCE_MS)
	}

	/** @type {Record<string, (message: any) => void>} */
	const answers = {
		plot({step: k, svg: plot, told, values: of}) {
			// What was asked for before a knob was turned is of no use.
			if (!pass.at(k) || JSON.stringify(of) !== JSON.stringify(values)) return
			plots[k] = plot === null ? null : String(plot)
			asked.delete(k)
			if (told) pass.tell(k, told)
			if (k === step && told) show(step, part)
			else showPlot()
		},
		chain({variable: v, chain, values: of}) {
			if (!pass.variables[v] || JSON.stringify(of) !== JSON.stringify(values)) return
			pass.variables[v].chain = chain
			select(selected)
		},
		what_if({payload: turned, values: of, said}) {
			isBusy = false
			if (turned?.steps) {
				values = of
				load(turned, true)
			}
			knobs.say(said)
			// A knob that has moved on is left.
			if (wanted) turn(wanted)
			else knobs.set(values)
		}
	}

	function push() {
		if (!linked || step < 0 || linked.get("step") === step) return
		linked.set("step", step)
		linked.save_changes()
	}

	/** @param {T.Model} theirs */
	function link(theirs) {
		unlink()
		const follow = () => theirs.get("step") !== step && go(theirs.get("step"))
		const end = () => unlink()
		/** @type {[string, (message: any) => void][]} */
		const listeners = [
			["change:step", follow],
			["msg:custom", message => answers[message?.type]?.(message)],
			["destroy", end],
			["comm:close", end]
		]
		for (const listener of listeners) theirs.on(...listener)
		unlink = () => {
			for (const listener of listeners) theirs.off(...listener)
			linked = null
			unlink = () => {}
			asked.clear()
			isBusy = false
			showAgain()
			knobs.rest(true)
		}
		linked = theirs
		knobs.rest(false)
		// One that is not at the start was moved by the kernel, or by another view.
		const isMoved = theirs.get("step") !== pass.payload.start || theirs === lastLinked
		lastLinked = theirs
		if (isMoved) follow()
		push()
		showAgain()
	}

	function findModel() {
		const found = model ?? (id === undefined ? undefined : models().get(id))
		if (found && found !== linked) link(found)
	}
	/** @param {Event} event */
	const onModel = event => {
		if (event instanceof CustomEvent && event.detail === id) findModel()
	}

	// Hosts take outputs away and tell nobody: then nothing may hold on to the stepper.
	const isInSight = () => root.isConnected && root.getClientRects().length > 0

	function attach() {
		if (isAttached) return
		isAttached = true
		window.addEventListener("ipygrad:model", onModel)
		findModel()
		scroll()
	}

	function detach() {
		ignoreKeys()
		if (!isAttached) return
		isAttached = false
		pause()
		window.removeEventListener("ipygrad:model", onModel)
		unlink()
	}

	function fit() {
		// Captions in two lines; text beside plot; products in pairs.
		mark(root, "narrow", width < 620)
		mark(root, "wide", width >= 520)
		mark(root, "roomy", width >= 760)
	}

	const observer = new ResizeObserver(([{contentRect}]) => {
		const isNew = contentRect.width !== width
		width = contentRect.width
		fit()
		if (!isInSight()) detach()
		else if (!isAttached) attach()
		else if (isNew) scroll()
	})
	const ignoreKeys = listenToKeys(root, actions, gone.signal)
	root.addEventListener("click", press, {signal: gone.signal})

	/** @param {any} before */
	function draw(before) {
		const {payload} = pass
		const graph = graphView(pass, () => selected && light())
		const controls = controlsView(pass, actions)
		const sizes = sizesView(pass, actions)
		const words = stepView(pass, reveal)
		const code = codeView(pass, actions)
		const table = tableView(pass, actions)
		const plot = before?.plot ?? plotView(pass)
		const chain = chainView(pass, () => {
			select(null)
			controls.focus()
		})
		const panels = html("div", "panels", words.text)
		if (plot.element) panels.append(plot.element)
		if (payload.code) panels.append(code.element)
		mark(panels, "with-plot", plot.element !== null)
		mark(panels, "with-pair", plot.isPair)
		put(root, {role: "group", "aria-label": payload.title, lang: pass.language})
		for (const node of [...root.childNodes]) if (node !== knobs.element) node.remove()
		knobs.element.before(
			...payload.notices.map(text => html("div", "notice", text)),
			...(payload.graph.groups[0].items.length > 0 ? [graph.element] : []),
			controls.element,
			controls.status,
			...sizes.elements
		)
		const top = html("div", "top", words.heading, controls.parts)
		knobs.element.after(top, words.products, chain.element, panels, table.element)
		if (before) {
			graph.element.scrollTo(before.graph.element.scrollLeft, before.graph.element.scrollTop)
			table.element.open = before.table.open
		}
		/** @type {T.View[]} */
		const views = [graph, controls, sizes, words, code, table]
		return {views, graph, controls, words, plot, chain, table: table.element}
	}

	/** @param {T.Payload} payload */
	function load(payload, isTurned = false) {
		pause()
		pass = prepare(payload)
		plots = pass.steps.map(({plot}) => plot ?? undefined)
		asked.clear()
		revealed = payload.predict ? 0 : Infinity
		if (!isTurned) {
			knobs = knobsView(pass, turn, () => tell({type: "keep", values}))
			root.replaceChildren(knobs.element)
		}
		drawn = draw(isTurned ? drawn : null)
		show(Math.min(step, pass.last, revealed), part)
		select(selected)
		push()
	}

	root.classList.add("ipygrad")
	fit()
	load(payload)
	observer.observe(root)
	if (isInSight()) attach()

	return {
		get step() {
			return step
		},
		go,
		destroy() {
			detach()
			cancelAnimationFrame(frame)
			observer.disconnect()
			gone.abort()
			root.className = root.className.replace(/\bipygrad\S*\s*/g, "")
			put(root, {role: null, "aria-label": null, lang: null})
			root.replaceChildren(...replaced)
		}
	}
}

/** @type {T.MountAll} */
export function mountAll(root, passes) {
	if (passes.length === 1) return mount(root, passes[0].payload, passes[0])
	/** @type {T.Stepper[]} */
	const steppers = []
	let now = 0
	const panels = passes.map(({name}) => html("div", {role: "tabpanel", "aria-label": name}, html("div")))
	const tabs = passes.map(({name}, i) =>
		button({class: "part", role: "tab"}, () => open(i), shorten(name, 2 * BOX_COLUMNS))
	)
	const list = html("div", {class: "parts", role: "tablist"}, ...tabs)

	function open(i = 0) {
		now = i
		tabs.forEach((tab, k) => {
			put(tab, {"aria-selected": k === i, tabindex: k === i ? 0 : -1})
			panels[k].hidden = k !== i
		})
		return (steppers[i] ??= mount(panels[i].firstChild, passes[i].payload, passes[i]))
	}

	function go(k = 0) {
		open(Math.min(Math.max(k, 0), passes.length - 1))
		focus(tabs[now])
	}
	listenToKeys(list, {now: () => now, go})
	root.classList.add("ipygrad")
	root.replaceChildren(list, ...panels)
	open()
	return {open}
}

/** @param {{model: T.Model}} context */
function initialize({model}) {
	const id = String(model.get("stepper_id"))
	const forget = () => {
		if (models().get(id) === model) models().delete(id)
	}
	models().set(id, model)
	model.on("destroy", forget)
	window.dispatchEvent(new CustomEvent("ipygrad:model", {detail: id}))
	return forget
}

/** @param {{model: T.Model, el: HTMLElement}} context */
function render({model, el}) {
	const stepper = mount(el, model.get("payload"), {model})
	return () => stepper.destroy()
}

export default {initialize, render}
