/** What stepper.js is given and what its parts promise each other. Types alone: nothing of it runs. */

import type { Pass } from "./stepper.js";

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
	constant: boolean;
	holds: boolean;
	arriving: Num | null;
	local: Num | null;
	formula: Formula | null;
	equation: Formula | null;
	summed: { text: string; before: Num | null } | null;
	contribution: Num | null;
	before: Num | null;
	after: Num | null;
}
export interface Step {
	function: number | null;
	line: number | null;
	heading: string;
	sentence: string;
	status: string;
	parts: string[];
	products: Product[];
	notes: string[];
	check: { status: string; text: string } | null;
	waiting: { functions: number[]; text: string } | null;
	source: string;
	picture: boolean;
	plot: string | null;
	/** It was a LeanStep, and waits for its words. */
	isLean?: boolean;
}
/** A step of which only the numbers are kept, by their places. */
export interface LeanStep {
	function: number;
	line: number | null;
	heading: string;
	picture: boolean;
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
export type State = [step: number, key: string, value: Num | null, arrived: number, expected: number];
export interface Chain {
	heading: Formula;
	paths: (Formula & { factors: Item[] })[];
	more: string;
	total: Formula | null;
}
export interface Elements {
	columns: number;
	texts: string[];
	feeds: Item[][];
}
export interface Var {
	name: string;
	kind: string;
	line: number | null;
	creator: number | null;
	users: number[];
	value: Num;
	/** How it was cut from what computed it. */
	cut: string | null;
	shape: string;
	step: number | null;
	states: State[];
	chain: Chain | null;
	elements: Elements | null;
}
export interface Func {
	label: string;
	line: number | null;
	source: string | null;
	turn: string;
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
		steps: number[][];
		untaken: number[];
	} | null;
	graph: Graph;
	numbers: Num[];
	steps: (Step | LeanStep)[];
	forward: Step[];
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
	table: { columns: string[]; rows: string[][]; row_steps: number[] };
}

// --- elements

export type Texts = Record<string, string | number | null | undefined>;
export type Children = (Node | string)[];
export type Attributes = Record<string, string | number | null | ((event: any) => void)>;
/** Makes an element of a tag, with attributes, or a class alone, and children. */
export type Make = (tag: string, attributes?: Attributes | string, ...children: Children) => any;

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
	go(k: number, part?: number): void;
	toggle(): void;
	turn(by: number): void;
	hurry(speed: number): void;
}
/** What keys do. */
export type Keyed = Pick<Actions, "now" | "go" | "toggle" | "turn">;
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
export interface CodeView extends View {
	element: HTMLElement;
}
export interface StepView extends View {
	heading: HTMLElement;
	products: HTMLElement;
	text: HTMLElement;
	/** Keeps what is written in the fields; an empty text for each other product. */
	predict(k: number): void;
}
export interface ChainView {
	element: HTMLElement;
	select(item: Item | null): void;
}
export interface PlotView {
	/** Null where no step has a plot. */
	element: HTMLElement | null;
	isPair: boolean;
	/** Shows a plot, which is an SVG document, or words where there is none. */
	draw(plot: string | null, words: string, step: Step): void;
}
export interface TableView extends View {
	element: HTMLDetailsElement;
}
export interface ControlsView extends View {
	element: HTMLElement;
	status: HTMLElement;
	parts: HTMLElement;
	showPlaying(is: boolean): void;
	focus(): void;
}
export interface SizesView extends View {
	elements: Element[];
}
/** Values of the knobs that do not stand as the cell left them, by their places. */
export type Values = Record<string, number>;
export interface KnobsView {
	element: HTMLElement;
	set(values: Values): void;
	/** Without a kernel the knobs rest, and say why. */
	rest(is: boolean): void;
	say(text?: string): void;
}
export type MakeView<V> = (pass: Pass, actions: Actions) => V;

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
	show: Show;
}

// --- the kernel's side

export interface Model {
	get(name: string): any;
	set(name: string, value: any): void;
	save_changes(): void;
	send(message: object): void;
	on(event: string, callback: (...args: any[]) => void): void;
	off(event: string, callback: (...args: any[]) => void): void;
}
/** A pass that `mountAll` gives a stepper. */
export interface NamedPass {
	name: string;
	payload: Payload;
	id?: string;
}
