/** One element of an S3 server's XML answer. Attributes, comments and processing instructions say nothing there. */
export interface Element {
	readonly name: string;
	readonly text: string;
	readonly children: readonly Element[];
}

const names: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const piece = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([^\s/>]+)[^>]*?(\/?)>([^<]*)/g;

/**
 * Reads the small part of XML that S3 answers are written in: elements and text, neither document types nor CDATA.
 * Throws for what is cut off or nested wrongly.
 */
export function parse(xml: string): Element {
	const root: Open = { name: "", text: "", children: [] };
	const open: Open[] = [root];
	for (const [, closes, name = "", empty, text = ""] of xml.matchAll(piece)) {
		if (name === "") continue;
		if (name.startsWith("!")) throw new Error(`unexpected <${name}`);
		if (closes) close(open, name);
		else begin(open, { name: name.replace(/^.*:/, ""), text: unescaped(text), children: [] }, empty === "/");
	}
	const [first] = root.children;
	if (open.length !== 1 || !first) throw new Error("the answer is not whole");
	return first;
}

/** The text of the first element of this name among the children; undefined: there is none. */
export function textOf(element: Element, name: string): string | undefined {
	return element.children.find((child) => child.name === name)?.text;
}

interface Open {
	readonly name: string;
	readonly text: string;
	readonly children: Element[];
}

function begin(open: Open[], element: Open, isEmpty: boolean): void {
	open.at(-1)?.children.push(element);
	if (!isEmpty) open.push(element);
}

function close(open: Open[], name: string): void {
	const last = open.pop();
	if (open.length === 0 || last?.name !== name.replace(/^.*:/, "")) throw new Error(`unexpected </${name}>`);
}

function unescaped(text: string): string {
	if (!text.includes("&")) return text;
	return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
		if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
		return decimal ? String.fromCodePoint(Number(decimal)) : (names[name] ?? whole);
	});
}
