import { html } from "lit";
import { Unreachable } from "../controllers/sending.ts";
import { Task } from "../controllers/task.ts";
import { failed, waiting } from "./faces.ts";
import { Part } from "./part.ts";

/** A page that does not travel with the first script: it is fetched when somebody goes there, once. */
export class PageLater extends Part {
	static override properties = { load: { attribute: false }, page: { attribute: false } };
	declare load: () => Promise<unknown>;
	/** Draws the page; called when it is there. */
	declare page: () => unknown;
	#done = () => {};
	/** Settles when there is something to see. */
	readonly arrived = new Promise<void>((resolve) => {
		this.#done = resolve;
	});

	readonly #task = new Task(this, async () => {
		await this.load().catch((cause: unknown) => {
			throw new Unreachable("The page did not come", { cause });
		});
		return true;
	});

	/** A browser remembers that a script did not come, and the node may have another one by now; so all is loaded anew. */
	protected override render() {
		return this.#task.render({
			ready: () => this.page(),
			loading: () => html`<div>${waiting(6)}</div>`,
			failed: (error) => failed(error, () => location.reload()),
		});
	}

	/** What belongs to the window may show on the page too. */
	protected override updated(): void {
		for (const page of this.children) if (page instanceof Part) page.requestUpdate();
		if (this.#task.value || this.#task.error !== undefined) this.#done();
	}
}

customElements.define("page-later", PageLater);
