/** Something a customer should know, said once: the same key twice is one notice. */
export interface Notice {
	/** Same key, same notice: `deploy-done:<job>`. */
	readonly key: string;
	readonly customer: string;
	/** For translation. */
	readonly kind: NoticeKind;
	/** Plain texts; days and moments as RFC 3339 has them (`2026-12-22`), which each reader's language then spells out. */
	readonly params: Readonly<Record<string, string>>;
	/** Where in the panel it leads, a path. */
	readonly link?: string;
}

/** The English sentence of each kind; failures go out by every channel, successes too unless switched off. */
export const noticeSentences = {
	"deploy-done": "Your services under {domain} are ready",
	"deploy-undone": "Deploying {domain} did not work out and was undone: {reason}",
	"deploy-stuck": "Deploying {domain} is stuck and needs you: {reason}",
	"remove-done": "{domain} was removed; it is kept until {date}, then erased",
	"restore-done": "{domain} is back",
	"erase-done": "{domain} was erased; nothing of it is left here",
	"repair-done": "{domain} was set up again, and its services answer",
	"repair-undone": "Setting {domain} up again did not work out: {reason}",
	"job-stuck": "Work on {domain} is stuck and needs you: {reason}",
	"service-unwell": "{service} under {domain} has not answered since {since}",
	"service-well": "{service} under {domain} answers again",
	"move-asked": "{provider} asks to move {domain} here; agree or refuse",
	"move-waits": "{provider} wants to move {domain} here; let it in or refuse it",
	"leave-done": "{domain} now runs at {provider}; the copy here is kept until {date}, then erased",
	"leave-undone": "Moving {domain} to {provider} did not work out; it serves here as before: {reason}",
	"leave-stuck": "Moving {domain} to {provider} is stuck and needs you: {reason}",
	"arrive-done": "{domain} has moved here from {provider}",
	"arrive-undone": "Moving {domain} here from {provider} did not work out; it serves there as before: {reason}",
	"arrive-stuck": "Moving {domain} here from {provider} is stuck and needs you: {reason}",
	"move-erased": "The copy of {domain} that was kept here after its move was erased",
	"records-needed": "Set the records of {domain} now, so that visitors find it at {provider}",
	"served-elsewhere": "{domain} is served by {holder} by now, as its DNS says; the services here rest",
	test: "This is a test notice; it works",
} as const;

export type NoticeKind = keyof typeof noticeSentences;

/** Good news, which a customer may switch off. That something broken works again is not among them: it ends a worry. */
export const successes: ReadonlySet<NoticeKind> = new Set([
	"deploy-done",
	"remove-done",
	"restore-done",
	"erase-done",
	"repair-done",
	"leave-done",
	"arrive-done",
	"move-erased",
]);

/** Where sagas and probes say things; what becomes of them is the outbox's business and never fails the caller. */
export interface Notices {
	tell(notice: Notice): void;
}
