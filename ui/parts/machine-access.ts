import { msg } from "@lit/localize";
import { html, nothing, type TemplateResult } from "lit";
import type { Deployment } from "../views.ts";
import "./copy-text.ts";

/** Where the customer may sign in by SSH, if anywhere, and what to do for keys that are not there yet. `again` sets up again, if that is not offered already. */
export function machineAccess(
	{ signIn, unwellSince }: Deployment,
	again: TemplateResult,
): TemplateResult | typeof nothing {
	if (!signIn) return nothing;
	const { user, address, port, keys, current } = signIn;
	const command = ["ssh", ...(port === 22 ? [] : ["-p", port]), `${user}@${address}`].join(" ");
	const account = html`<a href="/account#ssh-keys">${msg("your account")}</a>`;
	return html`<section class="stack tight" aria-labelledby="machine">
		<h2 id="machine">${msg("Sign in to the machine")}</h2>
		<p>${msg(html`With the SSH keys of ${account}, as a user who has no power there.`)}</p>
		${keys > 0 ? html`<p><copy-text .text=${command} .what=${msg("the command")}></copy-text></p>` : nothing}
		${current ? nothing : html`<p>${msg("Your keys have changed since it was set up. Setting it up again brings them there.")}</p>${unwellSince ? nothing : again}`}
	</section>`;
}
