import { eventStream } from "../web/event-stream.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { KeptNotices } from "./kept-notices.ts";
import type { Outbox } from "./outbox.ts";
import type { NoticeSettings } from "./settings.ts";

export interface NoticeRouteParts {
	readonly notices: KeptNotices;
	readonly noticeSettings: NoticeSettings;
	readonly outbox: Outbox;
}

/** `/notices` and `/me/notice-settings`: what a customer was told, and how they want to be. */
export function noticeRoutes(routes: Routes, { notices, noticeSettings, outbox }: NoticeRouteParts) {
	implement(routes, "GET /notices", ({ customer, query }) => notices.page(customer.id, query));
	implement(routes, "POST /notices/read", ({ customer, body }) => notices.readUpTo(customer.id, body.upTo));
	implement(routes, "GET /notices/events", ({ customer, c }) =>
		eventStream(c, (after, signal) => notices.events(customer.id, after, signal)),
	);
	implement(routes, "GET /notices/deliveries", ({ customer, query }) => notices.deliveries(customer.id, query));

	implement(routes, "GET /me/notice-settings", ({ customer }) => noticeSettings.of(customer.id));
	implement(routes, "PUT /me/notice-settings", ({ customer, body }) => noticeSettings.change(customer.id, body));
	implement(routes, "POST /me/notice-settings/test", ({ customer }) => outbox.test(customer.id));
}
