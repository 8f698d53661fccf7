/**
 * Every expected way to fail: its code, its HTTP status and the sentence a person reads (RFC 9457).
 * The sentence says what to do. `{name}` is filled from the problem's parameters, in the panel's language too.
 */
export const problems = {
	"not-valid": [400, "Some of what you sent does not fit; see the list"],
	"not-json": [400, "The request is not valid JSON"],
	"too-large": [413, "That is more than {limit}; send less"],
	"not-found": [404, "There is nothing here; check the address"],
	"method-wrong": [405, "This address takes only {allowed}"],
	"not-allowed": [403, "You may not do this"],
	"not-signed-in": [401, "Please sign in first"],
	"confirm-needed": [403, "Please say your password again, so that we know it is you"],
	"wrong-credentials": [401, "E-mail or password is wrong"],
	"wrong-site": [403, "This request came from another site and was not carried out"],
	"scope-missing": [403, "This API token lacks the scope {scope}; make one that has it"],
	"too-many": [429, "Too many attempts; wait {seconds} seconds and try again"],
	"key-reused": [422, "This Idempotency-Key was used for a different request; use a new one"],
	"key-busy": [409, "A request with this Idempotency-Key is still under way; ask again in a moment"],
	"our-fault": [500, "Something broke on our side; try again, and if it stays tell your provider this number: {id}"],
	"email-taken": [409, "There is an account with this e-mail already; sign in instead"],

	"voucher-unknown": [404, "There is no such voucher; check it for typing mistakes"],
	"voucher-spent": [409, "This voucher has already been used; ask your provider for a new one"],
	"voucher-expired": [410, "This voucher expired on {date}; ask your provider for a new one"],
	"voucher-needed": [402, "You have no unused voucher; redeem one first"],
	"voucher-lacks": [403, "Your voucher does not include {service}; ask your provider for one that does"],

	"domain-not-valid": [400, "{domain} is not a domain name; write it like choir.example"],
	"domain-is-address": [400, "{domain} is an IP address; a name such as choir.example is needed"],
	"domain-too-long": [400, "A domain name has at most {limit} characters"],
	"domain-part-too-long": [400, "Between two dots of a domain name there are at most {limit} characters"],
	"domain-has-more": [400, "That has more in it than a domain; write just the domain, such as {domain}"],
	"domain-too-deep": [400, "{domain} has too many parts; choose one name directly below {zone}"],
	"domain-is-suffix": [
		400,
		"{domain} is a public suffix, under which everybody registers names; use a name of your own below it",
	],
	"domain-is-reserved": [400, "{domain} cannot be used here; choose another name"],
	"domain-taken": [409, "{domain} already has services here"],
	"domains-too-many": [409, "You have {limit} domains without services; forget one of them first"],
	"domain-elsewhere": [409, "{domain} is already served by {holder}; move it from there instead"],
	"domain-unknown": [404, "{domain} is not among your domains; add it first"],
	"domain-busy": [409, "{domain} still carries a deployment; remove that first"],
	"domain-not-pointed": [409, "The records of {domain} are not right yet; set the ones marked and check again"],
	"domain-awaited": [503, "The records of {domain} do not name this node yet"],
	"zone-refused": [502, "The name server refused to change {name}: {reason}"],
	"zone-silent": [504, "The name server at {server} does not answer"],

	"certificate-refused": [502, "{server} gives no certificate: {reason}"],
	"certificate-silent": [504, "The certificate authority at {server} does not answer"],
	"certificate-later": [503, "{server} gives no more certificates now; ask again in {seconds} seconds"],
	"certificate-zone": [409, "No certificate can be had for {domain}, since neither node sets its records"],

	"service-unknown": [400, "There is no service called {service}"],
	"service-unavailable": [409, "{service} cannot run on this node: {reason}"],
	"service-needs": [400, "{service} needs {needs}; pick it too"],
	"service-clash": [400, "{service} and {other} both want the address {host}; pick one of them"],
	"services-empty": [400, "Pick at least one service"],

	"deployment-busy": [409, "Another piece of work on this deployment is under way; wait until it ends"],
	"deployment-state": [409, "This cannot be done while the deployment is {state}"],
	"confirmation-wrong": [400, "Type {domain} exactly as it stands to confirm"],
	"credentials-shown": [410, "The password was shown once already; set a new one"],
	"credentials-none": [404, "{service} has no account of its own to hand over"],
	"password-unfit": [400, "The password needs {least} to {most} characters"],

	"job-not-cancellable": [409, "This can no longer be cancelled"],
	"job-not-retryable": [409, "Only work that is stuck can be tried again; what was undone is started anew"],
	"job-hangs": [
		409,
		"A step was told to stop and may still be at work; try again once it has ended, or ask your provider to restart the node",
	],
	"job-interrupted": [
		503,
		"The node stopped {times} times in the middle of this step; ask your provider to look into it, then try again",
	],

	"token-unknown": [404, "This migration token is not known; make a new one at the new provider"],
	"token-expired": [410, "This migration token is too old; make a new one at the new provider"],
	"token-used": [409, "This migration token was used already; make a new one at the new provider"],
	"token-other-domain": [403, "This migration token is for {domain} only; make one for the domain you want to move"],
	"node-silent": [504, "{origin} does not answer; check the token, and whether that provider's node is up"],
	"node-unfit": [502, "{origin} does not answer as a Fediversity node should: {reason}"],
	"node-address": [400, "{origin} cannot be reached from here: only public https addresses are allowed"],
	"node-not-accepted": [403, "This provider takes no deployments from {origin}; ask it for leave"],
	"node-blocked": [403, "Your provider moves no deployments to {origin}; ask it why"],
	"node-key-changed": [
		409,
		"{origin} signs with another key than before; nothing is exchanged with it until the provider's staff has confirmed that key",
	],
	"node-busy": [429, "This provider takes no more from {origin} at present: {limit} at most; try again later"],
	"peer-key": [409, "{origin} does not show this key; look at its fingerprint again"],
	"provider-closed": [409, "{provider} takes no deployments from other providers"],
	"provider-lacks": [409, "{provider} does not offer {service}"],
	"provider-older": [409, "{provider} runs {service} {there}, which is older than {here} here"],
	"database-older": [409, "The database comes from PostgreSQL {there}, and PostgreSQL {here} here is older"],
	"migration-refused": [409, "{provider} refused: {reason}"],
	"migration-withdrawn": [409, "{provider} called the move off: {reason}"],
	"migration-over": [409, "This migration is over"],
	"migration-broken": [409, "{origin} said two different things at once, so this migration was stopped for safety"],
	"migration-forgotten": [
		409,
		"{origin} was brought back from a backup and has forgotten a part of this move, so the move ends here; nothing serves twice",
	],
	"migration-too-large": [413, "{what} are more than the {limit} that the new provider has room for"],
	"message-early": [409, "Message {seq} came before the ones that precede it; send those first"],
	"message-wrong": [422, "A {kind} cannot come while the migration is {state}"],
	"rehearsal-failed": [409, "At the new provider {what} did not work: {detail}"],
	"freeze-too-long": [
		409,
		"The services rested for {seconds} seconds without an end in sight, so they serve here again",
	],
	"volume-unfit": [422, "{path} cannot be moved: {reason}"],
	"volume-busy": [409, "{path} was changed while nobody should change it; see what still writes there and try again"],
	"bucket-refused": [
		502,
		"The storage at {server} refuses work on the bucket {bucket} ({reason}); check its key and rights",
	],
	"bucket-silent": [
		504,
		"The storage at {server} does not answer for the bucket {bucket} ({reason}); check that it runs",
	],
	"machine-silent": [504, "{machine} does not answer ({reason}); check that it runs and can be reached from this node"],
	"machine-refused": [
		502,
		"{machine} does not let this node in ({reason}); put the node's key there: fediversity machine key",
	],
	"machine-key-changed": [
		409,
		"{machine} shows another host key than the one it is known by; find out why before you add it again with the new one",
	],
	"machine-agent": [502, "{machine} has no agent that this node can use ({reason}); bring the machine up to date"],
	"machine-lacks": [409, "{machine} does not declare {what}; apply the deployment there first"],
	"machine-version": [
		409,
		"The agent of {machine} has version {version}, this node {needed}; bring the machine up to date: deploy to it, or switch it to the node's version",
	],
	"machine-unit": [502, "{units} on {machine} cannot be stopped or started: {reason}"],
	"machine-taken": [409, "There is a machine with this name, or with this address and port, already: {machine}"],
	"machine-carries": [409, "{machine} still carries {count} deployments; drain it, and wait until they are elsewhere"],
	"machines-full": [
		409,
		"This provider has no free machine ({system}) with {memory} MiB of memory and {disk} GiB of disk; ask it to add one (fediversity machine add) and try again",
	],
	"machine-none": [409, "{deployment} has no machine; deploy it first"],
	"machine-keeps": [
		502,
		"{machine} still declares {what} after they were taken from it; look at the log of the last run",
	],
	"storage-none": [503, "This node has no storage for all deployments; set storage.admin"],
	"nixops4-failed": [502, "The services' machine could not be set up: {reason}"],
	"copy-refused": [422, "What the other node sends cannot be used: {reason}"],
	"copy-too-large": [413, "This moves {wanted} {what}, and only {limit} were agreed"],
	"copy-unfaithful": [
		422,
		"{count} parts of files never came as the old provider had listed them; ask it to look at these files and at its disk: {paths}",
	],

	"program-missing": [503, "{program} is not installed on this node; {fix}"],
	"port-taken": [503, "Port {port} is already in use by another program; stop it or choose another port"],
	"disk-full": [507, "The disk at {folder} is full; free some space and try again"],
	"service-died": [502, "{service} ended right after its start; its log says why"],
	"service-not-ready": [504, "{service} did not answer within {seconds} seconds"],
	"took-too-long": [504, "This took longer than {seconds} seconds and was stopped"],
	cancelled: [409, "Cancelled"],

	"webhook-not-valid": [400, "{url} cannot be a webhook; use a public https address"],
	"vault-key-missing": [
		503,
		"{file}, the key to this node's secrets, is missing; put it back from where you keep your copy",
	],
	"vault-key-exposed": [503, "{file} can be read by others (its mode is {mode}); run chmod 600 on it"],
	"vault-key-unfit": [503, "{file} does not hold a master key; put the right file back from where you keep your copy"],
	"vault-key-other": [
		503,
		"{file} is not the key that this node's secrets were sealed with; put the right one back from where you keep your copy",
	],
	"vault-damaged": [500, "The secret {name} cannot be opened; bring the database back from a backup"],
	"mail-silent": [502, "The mail server at {server} does not take our mail: {reason}"],

	"token-not-valid": [400, "This is not a token; paste the whole line that the new provider shows you"],
	"token-damaged": [400, "Some characters of this token are missing or wrong; copy it again"],
	"token-insecure": [400, "The address in this token is not https; ask the new provider for one that is"],
	"token-newer": [400, "This token is of a kind that this node does not know yet; ask your provider to update it"],
	"key-not-valid": [400, "This is not an Ed25519 key as actors publish it"],
	"activity-not-valid": [400, "The other node's message does not follow the protocol: {why}"],
	"proof-wrong": [401, "The other node's document is not signed as it must be: {why}"],
	"signature-wrong": [401, "The other node's request or answer is not signed as it must be: {why}"],
	"signature-untimely": [
		401,
		"The other node's signature is not of now; it can sign again with the time of this answer",
	],
	"signature-repeated": [401, "This signature has been used already; sign each request anew"],
	"sealed-wrong": [400, "This was not sealed for this session"],
	"sheet-not-valid": [400, "The other provider's offer sheet does not follow the protocol: {why}"],
	"receipt-not-valid": [400, "This is not a receipt of a migration: {why}"],
} as const satisfies Record<string, readonly [status: number, sentence: string]>;

export type ProblemCode = keyof typeof problems;

/** One thing wrong with one field; `pointer` is a JSON Pointer (RFC 6901) into the request. */
export interface FieldProblem {
	pointer: string;
	detail: string;
}

/** A problem as it crosses the wire, `application/problem+json`. */
export interface ProblemDocument {
	type: string;
	code: ProblemCode;
	title: string;
	status: number;
	detail: string;
	params?: Record<string, string>;
	errors?: FieldProblem[];
}

/** An error we expected and can explain. Anything else that is thrown is a bug. */
export class Problem extends Error {
	override readonly name = "Problem";
	readonly code: ProblemCode;
	readonly status: number;
	readonly params: Record<string, string>;
	readonly errors: readonly FieldProblem[];

	constructor(code: ProblemCode, params: Record<string, string | number> = {}, options: ProblemOptions = {}) {
		const strings = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
		super(fill(problems[code][1], strings), options);
		this.code = code;
		this.status = problems[code][0];
		this.params = strings;
		this.errors = options.errors ?? [];
	}

	toJSON(): ProblemDocument {
		return {
			type: `/problems/${this.code}`,
			code: this.code,
			title: problems[this.code][1].replaceAll(/ *\{\w+\}/g, " …"),
			status: this.status,
			detail: this.message,
			...(Object.keys(this.params).length > 0 && { params: this.params }),
			...(this.errors.length > 0 && { errors: [...this.errors] }),
		};
	}
}

interface ProblemOptions extends ErrorOptions {
	errors?: readonly FieldProblem[];
}

/** Puts the parameters into a sentence; a parameter that is missing leaves its name in braces. */
export function fill(sentence: string, params: Readonly<Record<string, string>>): string {
	return sentence.replaceAll(/\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole);
}
