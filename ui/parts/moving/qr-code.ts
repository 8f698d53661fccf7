import { msg } from "@lit/localize";
import { html, type PropertyValues, type TemplateResult } from "lit";
import { waiting } from "../faces.ts";
import { Part } from "../part.ts";

/** White around the code, in modules (ISO/IEC 18004). */
const margin = 4;

/** A text to be read by a camera; the same text stands beside it. Its maker is fetched when the first one is drawn. */
export class QrCode extends Part {
	static override properties = { text: {}, drawn: { state: true } };
	declare text: string;
	declare drawn: { size: number; path: string } | undefined;

	protected override willUpdate(changed: PropertyValues<this>): void {
		if (changed.has("text")) void this.#draw();
	}

	/** Dark on white in both schemes: not every camera reads the other way round. */
	protected override render(): TemplateResult {
		if (!this.drawn) return html`<div class="qr">${waiting(1)}</div>`;
		const side = this.drawn.size + 2 * margin;
		return html`<svg class="qr" role="img" aria-label=${msg("The same as a QR code")} viewBox="${-margin} ${-margin} ${side} ${side}"
			shape-rendering="crispEdges"><path d=${this.drawn.path} /></svg>`;
	}

	async #draw(): Promise<void> {
		const { generate } = await import("lean-qr/nano");
		const code = generate(this.text);
		this.drawn = { size: code.size, path: outline(code) };
	}
}

/** Every dark module as a square; those side by side as one. */
function outline({ size, get }: { size: number; get(x: number, y: number): boolean }): string {
	let path = "";
	for (let y = 0; y < size; y++)
		for (let x = 0; x < size; x++) {
			let run = 0;
			while (get(x + run, y)) run++;
			if (run > 0) path += `M${x} ${y}h${run}v1h-${run}z`;
			x += run;
		}
	return path;
}

customElements.define("qr-code", QrCode);
