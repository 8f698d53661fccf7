// @vitest-environment happy-dom
import { html, LitElement } from "lit";
import { afterEach, expect, test, vi } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { field } from "../parts/field.ts";
import { Form } from "./form.ts";

const send = vi.fn();

class TestForm extends LitElement {
	readonly form = new Form(this, {
		name: "test",
		checks: { domain: (typed) => (typed ? null : "Fill this in"), name: () => null },
		belongs: { "domain-taken": "domain" },
		say: (problem) => (problem as Problem).message,
		send,
	});
	protected override createRenderRoot() {
		return this;
	}
	protected override render() {
		return html`<form @submit=${this.form.submit}>
			${field(this.form, { name: "name", label: "Name", value: "Anna" })}
			${field(this.form, { name: "domain", label: "Domain", hint: "Yours" })}
			${this.form.error === undefined ? "" : html`<p class="problem" tabindex="-1">!</p>`}
			<button>Go</button></form>`;
	}
}
customElements.define("test-form", TestForm);

async function submitted(domain: string) {
	const element = document.body.appendChild(new TestForm());
	await element.updateComplete;
	const input = element.querySelector<HTMLInputElement>("#test-domain") as HTMLInputElement;
	input.value = domain;
	element.querySelector("form")?.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
	await vi.waitFor(() => expect(element.form.busy).toBe(false));
	await element.updateComplete;
	return { element, input };
}

afterEach(() => {
	document.body.replaceChildren();
	send.mockReset();
});

test("does not send what does not fit, ties the error to its field and puts the focus there", async () => {
	const { element, input } = await submitted("");
	expect(send).not.toHaveBeenCalled();
	expect(input.getAttribute("aria-invalid")).toBe("true");
	const said = input
		.getAttribute("aria-describedby")
		?.split(" ")
		.map((id) => element.querySelector(`#${id}`)?.textContent);
	expect(said).toEqual(["Yours", "Fill this in"]);
	await vi.waitFor(() => expect(document.activeElement).toBe(input));
});

test("puts a problem that belongs to a field at that field, and keeps what was typed", async () => {
	send.mockRejectedValue(new Problem("domain-taken", { domain: "choir.example" }));
	const { element, input } = await submitted("choir.example");
	await vi.waitFor(() =>
		expect(element.querySelector("#test-domain-error")?.textContent).toContain("already has services"),
	);
	expect(input.value).toBe("choir.example");
	expect(element.querySelector(".problem")).toBeNull();
});

test("puts the node's list of mistakes at the fields it names", async () => {
	const errors = [{ pointer: "/domain", detail: "too odd" }];
	send.mockRejectedValue(new Problem("not-valid", {}, { errors }));
	const { element } = await submitted("x");
	await vi.waitFor(() => expect(element.querySelector("#test-domain-error")?.textContent).toBe("too odd"));
});

test("shows every other problem with the whole form", async () => {
	send.mockRejectedValue(new Problem("voucher-needed"));
	const { element } = await submitted("choir.example");
	await vi.waitFor(() => expect(document.activeElement).toBe(element.querySelector(".problem")));
});
