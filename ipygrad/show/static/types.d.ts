/** What stepper.js is given, and what its parts take, give and mean. Types alone: nothing of it runs. */

// --- the payload, documented in ipygrad/show/payload.py

/** A text, or a tag and its children. */
export type MathTree = string | any[];
export interface Formula {
	text: string;
	math: MathTree;
}
export interface Num {
	text: string;
	exact: string;
}
/** Left, top, width and height, px. In a Shape, the second is the middle. */
export type Box = [number, number, number, number];
export type Point = [number, number];

export interface Product {
	variable: number;
	name: string;
	holds: boolean;
	arriving: Num | null;
	local: Num | null;
	formula?: Formula | null;
	equation?: Formula | null;
	summed?: { text: string; before: Num | null } | null;
	contribution: Num | null;
	before: Num | null;
	after: Num | null;
}
export interface Step {
	function: number | null;
	line: number | null;
	heading: string;
	status: string;
	parts: string[];
	texts: Record<string, string | undefined>;
	products: Product[];
	check: string | null;
	waiting: number[];
	columns: number;
	plot: string | null;
	/** Of a call of the forward pass: what stands beside one another. */
	factors?: [caption: string, number: Num, style: string][];
	/** It was a LeanStep, and waits for its words. */
	isLean?: boolean;
}
/** A step of which only the numbers are kept, by their places. */
export interface LeanStep {
	function: number;
	line: number | null;
	heading: string;
	columns: number;
	arriving: number;
	products: [
		variable: number,
		holds: boolean,
		local: number | null,
		contribution: number | null,
		before: number | null,
		after: number | null,
	][];
}
export type State = [
	step: number,
	key: string,
	value: Num | number | null,
	arrived: number,
	expected: number,
];
/** Reads a number, or its place among the payload's. */
export type Placed = (number: Num | number) => Num;
export interface Chain {
	heading: Formula;
	/** A factor that is not kept leads nowhere. */
	paths: (Formula & { factors: (Item | null)[] })[];
	more: string;
	total: Formula | null;
}
export interface Elements {
	columns: number;
	texts: string[];
	feeds: Item[][];
	/** How many there are, where they are too many to be shown. */
	more?: string;
}
export interface Var {
	name: string;
	kind: string;
	creator: number | null;
	users: number[];
	value: Num | number;
	/** How it was cut from what computed it. */
	cut?: string;
	shape?: string;
	step: number | null;
	states: State[];
	/** Absent where a kernel has to be asked for it. */
	chain?: Chain | null;
	elements?: Elements;
}
export interface Func {
	label: string;
	line: number | null;
	source: string | null;
	turn?: string;
	inputs: number[];
	outputs: (number | null)[];
	step: number | null;
}
/** An item of a graph: "v3", a variable, "v3[1]", an element of one, "f3", a function, "g3", a group; or
 * an edge, "v3 f5". */
export type Item = string;
export interface Group {
	label: string | [string, Texts];
	shape: number;
	items: Item[];
}
export type ShapeLine = [
	tail: number,
	head: number,
	ports: [number, number],
	turns: number[],
	levels: number[],
	bend: number,
	position: number,
	label: string,
	at: Point | null,
];
export interface Shape {
	width: number;
	height: number;
	boxes: Box[];
	lines: ShapeLine[];
}
export interface Graph {
	/** What is said in the place of an absent chain, with a kernel and without. */
	untold?: { waiting: string; rest: string };
	variables: Var[];
	functions: Func[];
	height: number | null;
	open: Item[];
	groups: Group[];
	shapes: Shape[];
}
/** A text, or the expression of calls: its items, and what it is made of. */
export type Part = string | [items: string, ...Part[]];
export interface Payload {
	title: string;
	language: string;
	words: Record<string, string>;
	sentences: Record<string, string>;
	interfaces?: Record<string, Record<string, string>>;
	start: number;
	predict: boolean;
	notices: string[];
	code: {
		first: number;
		lines: string[];
		expressions: Part[][];
		items: string[];
		untaken: number[];
	} | null;
	graph: Graph;
	numbers: Num[];
	steps: (Step | LeanStep)[];
	forward: (Step | number)[];
	sizes: {
		bars: (number | null)[];
		dead: number[];
		saturated: number[];
		text: string;
	} | null;
	knobs: { name: string; value: number | null; bound: number }[];
	knobs_more: string;
	room: {
		styles: string[];
		counts: Record<string, number>;
		texts: Record<string, string[]>;
	};
	table: { columns: string[]; rows: string[][]; row_steps: number[]; row_items: string[] };
}

// --- elements

/** The pass with what views ask about it, from arrays that are made once. */
export interface Pass {
	payload: Payload;
	variables: Var[];
	functions: Func[];
	steps: Step[];
	/** Calls of the forward pass are the steps before 0, the last of them is step -1. */
	first: number;
	last: number;
	language: string;
	/** Texts of the interface, and of the states of gradients. */
	words: Record<string, string>;
	/** The group that each item stands in. */
	home: Map<string, number>;
	/** For each group, the steps of the functions inside. */
	inside: number[][];
	/** One of these texts. */
	word(key: string, values?: Texts): string;
	/** A step of the backward pass or, below 0, of the forward pass. */
	at(k: number): Step;
	/** Puts a step that a kernel has told in words in its place. */
	tell(k: number, step: Step): void;
	/** What to say of a part of a step; of the last, null. What is covered is not said. */
	told(k: number, part: number, isCovered: boolean): string | null;
	/** How far the forward pass has made an item: not, without its value, or wholly. The first part of a
	 * call makes the function, the second what the function has made, the third its value. */
	made(item: Item, k: number, part: number): number;
	/** The step of an item or an edge in the direction of step k. */
	stepOf(item: Item, k: number): number | null;
	/** An item and the groups around it, from the outermost inward. */
	path(item: Item): Item[];
	/** Whether a line is on the way out of the groups around one item and into those around another. */
	joins(line: string, tail: Item, head: Item): boolean;
	/** What belongs to an item, with the groups around: to a variable its paths to the result, to a
	 * function what it was given and has made, to an edge its ends, to an element what feeds it. */
	family(item: Item): Set<Item>;
	nameOf(item: Item): string;
}
/** Puts a step of which only the numbers are kept into the form of the others. */
export type WithoutWords = (step: LeanStep, payload: Payload) => Step;
/** The number of an item, such as "v3": a variable, function (f), group, or its entry (i) or exit (o);
 * of an edge ("v3 f5") by the kind of its end. -1 for none. */
export type NumberOf = (item: Item, kind?: string) => number;

export type Texts = Record<string, string | number | null | undefined>;
export type Children = (Node | string)[];
export type Attributes = Record<string, string | number | boolean | null | ((event: any) => void)>;
/** Makes an element of a tag, with attributes, or a class alone, and children. */
export type Make = (tag: string, attributes?: Attributes | string, ...children: Children) => any;

/** Sets attributes, null removing one, and listeners (onclick). Classes go without their "ipygrad-". */
export type Put = (element: Element, attributes: Attributes) => void;
/** Gives an element a class, or takes it away. */
export type Mark = (element: Element, name: string, is: boolean) => void;
/** Says of an element whether it is so: the step's, or one that does nothing now. */
export type Toggle = (element: Element, is: boolean) => void;
export type MakeButton = (attributes: Attributes, press: () => void, ...children: Children) => any;
/** A button of a key's name, or a field. */
export type MakeTool = (key: string, press: () => void, text?: string) => any;
/** Makes an element of a formula; what is none becomes text. */
export type MathNode = (tree: MathTree) => Element;
/** Fills the {placeholders} of a template with texts or elements. */
export type Fill = (
	template: string,
	values: Record<string, string | number | Node | null | undefined>,
) => Children;
/** Brings a box into the middle of its own scroller if it does not stand well inside: with so much room
 * on each side, px. */
export type ScrollInside = (scroller: HTMLElement, box: number[], room?: number) => void;
/** Brings a line of text into sight, without moving sideways. */
export type ScrollToLine = (scroller: HTMLElement, line: HTMLElement) => void;
/** Whether the focus is inside an element, also when the stepper stands in a shadow tree. */
export type HasFocus = (element: Element) => boolean;
export type Focus = (element: HTMLElement | SVGElement | null | undefined) => void;
/** A number with its exact value on hover; a dash for one that is not there yet. */
export type Numeral = (pass: Pass, number: Num | null) => HTMLElement;

// --- the parts of the stepper

/** Shows a part of a step, whose numbers are covered while they are to be predicted. */
export type Show = (k: number, part: number, isCovered: boolean) => void;
/** What controls and keys do: `go` to a step or a part of it, `turn` by parts. */
export interface Actions {
	now(): number;
	/** The first step: 0, or that of the forward pass. */
	first(): number;
	/** Begins with the forward pass, or with the backward pass. */
	begin(isForward: boolean): void;
	go: Go;
	toggle(): void;
	turn(by: number): void;
	hurry(speed: number): void;
}
/** What keys do. */
export type Keyed = Pick<Actions, "now" | "go"> & Partial<Actions>;
/** A part of the page: `show` is a function of its arguments alone, so that going back mirrors
 * going forward; `scroll`, where it may be too small for all, brings that into sight. */
export interface View {
	show: Show;
	scroll?(): void;
}
export interface GraphView extends View {
	element: HTMLElement;
	scroll(): void;
}
export type MakeGraphView = (pass: Pass, light: () => unknown) => GraphView;
/** The cell's code: lines that called a function are buttons, and so is, by mouse, each expression. */
export interface CodeView extends View {
	element: HTMLElement;
}
/** One step in numbers and words. */
export interface StepView extends View {
	heading: HTMLElement;
	products: HTMLElement;
	text: HTMLElement;
	/** Keeps what is written in the fields; an empty text for each other product. */
	predict(k: number): void;
}
/** `reveal` is called where the learner has made a prediction. */
export type MakeStepView = (pass: Pass, reveal: () => void) => StepView;
/** A text with the room that the longest of all steps take. */
export type Sized = (text: HTMLElement, name: string) => any;
/** A box with a number, and a formula for it. */
export type Factor = (
	caption: string,
	number: Num | null,
	style?: string,
	formula?: Formula | null,
) => any;
export type ProductRow = (product: Product, i: number, k: number, isCovered: boolean) => Element;
/** Whether a prediction is right: the sign, or the number within two digits. */
export type IsForetold = (said: string, number: Num) => boolean;
/** What is selected, closely: the chain rule for its variable, a line for each path to the result and
 * their sum, and the elements of an array with those that it was made of. */
export interface ChainView {
	element: HTMLElement;
	/** Returns the variable whose chain rule is absent, null for none. */
	select(item: Item | null, isLinked: boolean): number | null;
}
export type MakeChainView = (pass: Pass, close: () => void) => ChainView;
/** The card of the plots, or words in the same room. A plot has a column for each input that takes a
 * gradient, each an image of its own, side by side or, without room, below one another. */
export interface PlotView {
	/** Null where no step has a plot. */
	element: HTMLElement | null;
	isPair: boolean;
	/** Shows a plot, which is an SVG document, or words where there is none. */
	draw(plot: string | null, words: string, step: Step): void;
}
/** The whole pass as a table, folded away; made when it is first opened. */
export interface TableView extends View {
	element: HTMLDetailsElement;
}
/** A button with an icon, which does nothing while it is disabled. */
export type Control = (pass: Pass, key: Icon, press: () => void) => any;
export type Icon = "first" | "previous" | "play" | "pause" | "next" | "last" | "close";
/** Buttons, the slider, where we are, and what a screen reader announces. */
export interface ControlsView extends View {
	element: HTMLElement;
	status: HTMLElement;
	parts: HTMLElement;
	showPlaying(is: boolean): void;
	focus(): void;
}
/** How large the gradient is at each step: a bar for each, and where it dies or hardly gets through. */
export interface SizesView extends View {
	elements: Element[];
}
/** Values of the knobs that do not stand as the cell left them, by their places. */
export type Values = Record<string, number>;
/** Knobs for the numbers at the leaves, which a kernel turns. */
export interface KnobsView {
	element: HTMLElement;
	set(values: Values): void;
	/** Without a kernel the knobs rest, and say why. */
	rest(is: boolean): void;
	say(text?: string): void;
}
export type MakeKnobs = (
	pass: Pass,
	turn: (values: Values) => void,
	keep: () => void,
) => KnobsView;
export type MakeView<V> = (pass: Pass, actions: Actions) => V;

/** Keys of the stepper, wherever inside it the focus is. A control keeps the keys that are its own, but
 * the notebook around gets none of them but chords and Escape, which it has to see on an element that
 * does not say no. What it returns leaves the window's keys alone until the focus
 * is inside again. */
export type OnKey = (event: KeyboardEvent) => void;
export type ListenToKeys = (root: HTMLElement, actions: Keyed, signal?: AbortSignal) => () => void;

// --- the drawing

/** A line: the items that it joins ("v3 f5"), its curve, and of which input of the function. */
export interface Line {
	key: string;
	points: Point[];
	position: number;
	label: string;
	at: Point | null;
}
/** What is to be drawn, open groups being frames, and how far down lines come in (i) and go out (o). */
export interface Scene {
	width: number;
	height: number;
	boxes: [Item, Box][];
	lines: Line[];
	ends: Record<string, number>;
}
/** A box in the document. */
export interface Drawn {
	group: SVGElement;
	/** Shows a step; the value of a variable may not be there yet. */
	show(k: number, isUnvalued: boolean): void;
}

/** A line of text, by default around x. */
export type TextAt = (style: string, x: number, y: number, text: string, anchor?: string) => any;
/** An arrow head, and where its line comes from. */
export type ArrowHead = (style: string, tip: Point, from: Point) => Element;
/** An edge: its curve, a head forward and, unless it carries none, one for what goes backward. */
export type EdgeGroup = (line: Line, carries: boolean) => SVGElement;
/** A curve through some places, two on each level: straight there, S-shaped from one to the next. */
export type Curve = (places: number[], levels: number[], bend: number) => Point[];
/** Puts the scene of a group together: what is to the right of open groups, or below, makes room. */
export type Compose = (graph: Graph, open: Set<Item>, g?: number) => Scene;
/** A box that can be pressed. */
export type BoxGroup = (kind: string, box: Box, rx: number, attributes: Attributes) => SVGElement;
/** The box of a variable, or of a function. */
export type MakeBox = (pass: Pass, number: number, box: Box) => Drawn;
/** A group; while it is open, a frame with a bar to close it by. */
export type MakeGroup = (
	pass: Pass,
	g: number,
	box: Box,
	isOpen: boolean,
	press: () => void,
) => Drawn;
/** Writes a text into a row of a box. Boxes are made for other values: what is longer is written more
 * closely. */
export type Write = (row: SVGElement, text: string) => SVGElement;
/** What a step adds, written beside the edges of its function. */
export type Contributions = (step: Step, lines: Line[]) => SVGElement[];

// --- the kernel's side

declare global {
	/** Models of the page, by the id of their stepper. */
	var __ipygrad: Map<string, Model> | undefined;
}

export interface Model {
	get(name: string): any;
	set(name: string, value: any): void;
	save_changes(): void;
	send(message: object): void;
	on(event: string, callback: (...args: any[]) => void): void;
	off(event: string, callback: (...args: any[]) => void): void;
}
/** Moves to the step nearest to k, or a part of it: `go` because somebody said so, which ends playing.
 * Who has to predict goes to covered steps one by one, and past one by uncovering it. */
export type Go = (k: number, part?: number) => void;
/** Fills an element with a live stepper; what the element held is put back by destroy().
 *
 * With an id, it links itself to the kernel's model of that id when there is one: the step is then the
 * same on both sides, and plots and words that the payload lacks are asked for. */
export type Mount = (
	root: HTMLElement,
	payload: Payload,
	options?: { id?: string; model?: Model },
) => Stepper;
/** A press shows the step of the next item, and selects that; a second one selects none. */
export type Press = (event: MouseEvent) => void;
/** Has the pass with other values at its leaves. The kernel is asked again only when it has answered, for
 * the last values then. */
export type TurnKnobs = (to: Values) => void;
export interface Stepper {
	readonly step: number;
	go: Go;
	destroy(): void;
}
/** Fills an element with a stepper for each pass, of several in tabs: it is made when its tab is first
 * opened, and stays as it was left. */
export type MountAll = (root: HTMLElement, passes: NamedPass[]) => any;
/** A pass that `mountAll` gives a stepper. */
export interface NamedPass {
	name: string;
	payload: Payload;
	id?: string;
}
