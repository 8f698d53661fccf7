import type { LitElement } from "lit";
import { Problem } from "#protocol/problem.ts";

interface Shape<Name extends string> {
	/** Tells this form's ids from those of the next. */
	name: string;
	/** Of each field: what is wrong with what was typed, or null. */
	checks: Record<Name, (value: string) => string | null>;
	/** Sends what was typed. What it throws is shown. */
	send: (values: Record<Name, string>) => Promise<unknown>;
	/** Problems of the node that belong to one field. */
	belongs?: Record<string, NoInfer<Name>>;
	/** Says a problem in the reader's language. */
	say: (problem: unknown) => string;
}

/** A form: checks before it sends, ties each error to its field, and puts the focus on the first one. */
export class Form<Name extends string> {
	busy = false;
	/** What is wrong with the whole; undefined: nothing. */
	error: unknown;
	errors: Partial<Record<Name, string>> = {};
	readonly #host: LitElement;
	readonly #shape: Shape<Name>;

	constructor(host: LitElement, shape: Shape<Name>) {
		this.#host = host;
		this.#shape = shape;
	}

	idOf(name: Name): string {
		return `${this.#shape.name}-${name}`;
	}

	/** For `@submit`. */
	readonly submit = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		const form = event.currentTarget as HTMLFormElement;
		if (this.busy) return;
		const values = this.#read(form);
		this.errors = this.#check(values);
		this.error = undefined;
		if (Object.keys(this.errors).length === 0) await this.#send(values);
		this.#host.requestUpdate();
		await this.#host.updateComplete;
		if (this.error !== undefined || Object.keys(this.errors).length > 0) focusOnError(form);
	};

	/** Shows or takes away the error of one field. */
	mark(name: Name, error: string | null): void {
		const { [name]: _, ...others } = this.errors;
		this.errors = (error ? { ...others, [name]: error } : others) as Partial<Record<Name, string>>;
		this.#host.requestUpdate();
	}

	#read(form: HTMLFormElement): Record<Name, string> {
		const data = new FormData(form);
		const names = Object.keys(this.#shape.checks) as Name[];
		return Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? "")])) as Record<Name, string>;
	}

	#check(values: Record<Name, string>): Partial<Record<Name, string>> {
		const errors: Partial<Record<Name, string>> = {};
		for (const [name, check] of Object.entries(this.#shape.checks) as [Name, (value: string) => string | null][]) {
			const error = check(values[name]);
			if (error) errors[name] = error;
		}
		return errors;
	}

	async #send(values: Record<Name, string>): Promise<void> {
		this.busy = true;
		this.#host.requestUpdate();
		try {
			await this.#shape.send(values);
		} catch (error) {
			this.#place(error);
		} finally {
			this.busy = false;
		}
	}

	/** Puts a problem where it belongs: at its field, at several fields, or at the whole form. */
	#place(error: unknown): void {
		const placed = error instanceof Problem ? this.#atFields(error) : [];
		if (placed.length === 0) this.error = error;
		else this.errors = Object.fromEntries(placed) as Partial<Record<Name, string>>;
	}

	#atFields(problem: Problem): [field: string, sentence: string][] {
		const field = this.#shape.belongs?.[problem.code];
		if (field) return [[field, this.#shape.say(problem)]];
		return problem.errors
			.map(({ pointer, detail }): [string, string] => [pointer.slice(1), detail])
			.filter(([name]) => name in this.#shape.checks);
	}
}

function focusOnError(form: HTMLFormElement): void {
	form.querySelector<HTMLElement>('[aria-invalid="true"], .problem')?.focus();
}
