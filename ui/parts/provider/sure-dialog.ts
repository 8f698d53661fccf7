import { msg } from "@lit/localize";
import { html } from "lit";
import { Problem } from "#protocol/problem.ts";
import { Form } from "../../controllers/form.ts";
import type { Panel } from "../../panel.ts";
import { given } from "../../words/checks.ts";
import { sentenceOf } from "../../words/problems.ts";
import { problem } from "../faces.ts";
import { passwordField } from "../field.ts";
import { Part } from "../part.ts";

/** Does something of staff's; asks for the password first where the node wants to hear it. Throws what the work throws. */
export type Sure = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Asks for the password in between, and then goes on with what was wanted. */
export class SureDialog extends Part {
	static override properties = { panel: { attribute: false } };
	declare panel: Panel;
	/** Who waits for the password. */
	#asked: PromiseWithResolvers<void> | undefined;
	#reason: Problem | undefined;

	readonly #form = new Form(this, {
		name: "sure",
		checks: { password: given },
		belongs: { "wrong-credentials": "password" },
		say: (error) =>
			error instanceof Problem && error.code === "wrong-credentials"
				? msg("This is not your password")
				: sentenceOf(error),
		send: async ({ password }) => {
			await this.panel.api("POST /me/confirm", { body: { password } });
			this.#asked?.resolve();
			this.#dialog?.close();
		},
	});

	readonly run: Sure = async (work) => {
		try {
			return await work();
		} catch (error) {
			if (!(error instanceof Problem && error.code === "confirm-needed")) throw error;
			await this.#ask(error);
			return work();
		}
	};

	protected override render() {
		const form = this.#form;
		return html`<dialog class="sure-dialog" aria-labelledby="sure-title" @close=${this.#onClose}>
			<form class="stack" novalidate @submit=${form.submit}>
				<h2 id="sure-title">${msg("Is it you?")}</h2>
				<p>${msg("Changes here concern every customer, so your password is asked for now and then.")}</p>
				<input class="unseen" type="text" autocomplete="username" tabindex="-1" aria-hidden="true" readonly .value=${this.panel.session.me?.email ?? ""} />
				${passwordField(form, { name: "password", label: msg("Your password"), autocomplete: "current-password" })}
				${problem(form.error)}
				<div class="actions">
					<button class="button main" aria-busy=${form.busy}>${msg("Go on")}</button>
					<button type="button" class="button" @click=${() => this.#dialog?.close()}>${msg("Leave it as it is")}</button>
				</div>
			</form>
		</dialog>`;
	}

	/** Two that ask at once wait for the same password. */
	#ask(reason: Problem): Promise<void> {
		if (!this.#asked) {
			this.#asked = Promise.withResolvers<void>();
			this.#reason = reason;
			this.#form.mark("password", null);
			this.#form.error = undefined;
			this.#dialog?.showModal();
			this.querySelector<HTMLInputElement>("#sure-password")?.focus();
		}
		return this.#asked.promise;
	}
	/** Closed without a password, nothing is done; after one this changes nothing any more. */
	readonly #onClose = (): void => {
		this.#asked?.reject(this.#reason);
		this.#asked = undefined;
		this.querySelector("form")?.reset();
	};

	get #dialog(): HTMLDialogElement | null {
		return this.querySelector("dialog");
	}
}

customElements.define("sure-dialog", SureDialog);
