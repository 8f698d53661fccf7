import type { Customer } from "../customers/customer.ts";
import type { NoticeKind } from "./notice.ts";

/** One notice on its way to one address. `id` stays the same each time it is sent, so receivers can drop doubles. */
export interface Letter {
	readonly id: string;
	/** An e-mail address, or a webhook's address. */
	readonly target: string;
	readonly customer: Pick<Customer, "id" | "language">;
	readonly notice: string;
	readonly kind: NoticeKind;
	readonly params: Readonly<Record<string, string>>;
	/** A path in the panel. */
	readonly link: string | null;
	/** When it happened, ms. */
	readonly at: number;
}

export const channelNames = ["mail", "webhook"] as const;
export type ChannelName = (typeof channelNames)[number];

/**
 * A way to reach customers outside the panel. `send` returns when the other side has taken the letter and throws
 * `NotDelivered` when it has not; it gives up at once when the signal is aborted. It may be called again with a letter
 * that did arrive, and says the same id then.
 */
export interface Channel {
	readonly name: ChannelName;
	send(letter: Letter, signal: AbortSignal): Promise<void>;
}

/** Why a letter did not arrive, fit for its customer to read; `final` when trying again cannot help. */
export class NotDelivered extends Error {
	override readonly name = "NotDelivered";
	readonly final: boolean;
	constructor(reason: string, options: ErrorOptions & { final?: boolean } = {}) {
		super(reason, options);
		this.final = options.final ?? false;
	}
}
