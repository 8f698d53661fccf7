/** A provider's own colour, made to fit: as dark or light as it takes to be read on our ground. */

type Rgb = [red: number, green: number, blue: number];

/** The surfaces of tokens.css, as near as matters for contrast. */
const white: Rgb = [1, 1, 1];
const night: Rgb = [0.106, 0.122, 0.145];
/** WCAG 2.2, 1.4.3, with room for the tinted grounds on which the accent stands. */
const enough = 5.2;

/** Sets the two variants as custom properties; without a colour the panel keeps its own. */
export function applyAccent(root: HTMLElement, hex: string | null): void {
	for (const [name, ground] of [
		["--brand-light", white],
		["--brand-dark", night],
	] as const) {
		if (hex) root.style.setProperty(name, readableOn(hex, ground));
		else root.style.removeProperty(name);
	}
}

/** The colour itself if it can be read on this ground, else the nearest in lightness that can, as `rgb(…)`. */
export function readableOn(hex: string, ground: Rgb): string {
	const lab = toOklab(parsed(hex));
	const towards = luminance(ground) > 0.5 ? -1 : 1;
	let rgb = fromOklab(lab);
	while (contrast(rgb, ground) < enough && (towards < 0 ? lab[0] > 0 : lab[0] < 1)) {
		lab[0] += towards * 0.01;
		rgb = fromOklab(lab);
	}
	return `rgb(${rgb.map((channel) => Math.round(channel * 255)).join(" ")})`;
}

/** WCAG contrast, 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
	const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
	return (light + 0.05) / (dark + 0.05);
}

function parsed(hex: string): Rgb {
	return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
}

function luminance(rgb: Rgb): number {
	const [red, green, blue] = rgb.map(linear) as Rgb;
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(channel: number): number {
	return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function encoded(channel: number): number {
	const inside = Math.min(1, Math.max(0, channel));
	return inside <= 0.0031308 ? inside * 12.92 : 1.055 * inside ** (1 / 2.4) - 0.055;
}

/** Björn Ottosson's OKLab (2020), as CSS Color 4 has it: lightness and two colour axes. */
function toOklab(rgb: Rgb): [lightness: number, a: number, b: number] {
	const [r, g, b] = rgb.map(linear) as Rgb;
	const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
	const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
	const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
	return [
		0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
		1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
		0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
	];
}

function fromOklab([lightness, a, b]: readonly [number, number, number]): Rgb {
	const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
	return [
		encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
		encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
		encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
	];
}
