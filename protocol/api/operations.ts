/**
 * Everything the node's API can do, once: the node validates and documents with it (OpenAPI 3.1),
 * the panel and the command line take their types from it.
 */
import { z } from "zod";
import * as account from "./account.ts";
import * as deployment from "./deployment.ts";
import * as domain from "./domain.ts";
import * as job from "./job.ts";
import * as migration from "./migration.ts";
import * as notice from "./notice.ts";
import { Id, PageQuery, pageOf } from "./page.ts";
import * as provider from "./provider.ts";
import { staffOperations } from "./staff-operations.ts";

/**
 * Who may call: everybody; a signed-in customer (with which token scope); provider staff, on the operators' socket or with
 * a session of an account that is staff's; or only whoever has that socket.
 */
export type Audience = "everybody" | "read" | "deploy" | "account" | "staff" | "operator";

export interface Operation {
	summary: string;
	for: Audience;
	path?: z.ZodObject;
	query?: z.ZodObject;
	body?: z.ZodObject;
	/** Status of success, and what comes with it; `null` is an empty answer. */
	answer: readonly [status: 200 | 201 | 202 | 204, z.ZodType | null];
	/** A stream of server-sent events instead of one answer. */
	stream?: true;
}

const byId = z.strictObject({ id: Id });
const byDomain = z.strictObject({ domain: domain.DomainName });
const byService = z.strictObject({ id: Id, service: z.string().max(40) });

export const operations = {
	"GET /provider": { summary: "Who runs this node", for: "everybody", answer: [200, provider.ProviderView] },
	"GET /services": {
		summary: "The catalogue",
		for: "everybody",
		answer: [200, z.object({ items: z.array(provider.ServiceCard) })],
	},

	"POST /sign-up": {
		summary: "Open an account with a voucher",
		for: "everybody",
		body: account.SignUp,
		answer: [201, account.Me],
	},
	"POST /sign-in": { summary: "Begin a session", for: "everybody", body: account.SignIn, answer: [200, account.Me] },
	"POST /sign-out": { summary: "End this session", for: "read", answer: [204, null] },
	"GET /me": { summary: "My account", for: "read", answer: [200, account.Me] },
	"PATCH /me": {
		summary: "Change my name or language",
		for: "account",
		body: account.MeChange,
		answer: [200, account.Me],
	},
	"POST /me/password": {
		summary: "Change my password; ends all other sessions",
		for: "account",
		body: account.PasswordChange,
		answer: [204, null],
	},
	"POST /me/confirm": {
		summary: "Say my password again in this session, before what asks for it",
		for: "account",
		body: account.Confirmation,
		answer: [204, null],
	},
	"GET /me/sessions": {
		summary: "Where I am signed in",
		for: "account",
		query: PageQuery,
		answer: [200, pageOf(account.SessionView)],
	},
	"DELETE /me/sessions/{id}": { summary: "End a session", for: "account", path: byId, answer: [204, null] },
	"GET /me/tokens": {
		summary: "My API tokens",
		for: "account",
		query: PageQuery,
		answer: [200, pageOf(account.TokenView)],
	},
	"POST /me/tokens": {
		summary: "Make an API token; it is shown this once",
		for: "account",
		body: account.TokenRequest,
		answer: [201, account.TokenMade],
	},
	"DELETE /me/tokens/{id}": { summary: "Revoke an API token", for: "account", path: byId, answer: [204, null] },
	"GET /me/ssh-keys": {
		summary: "My SSH keys",
		for: "account",
		query: PageQuery,
		answer: [200, pageOf(account.SshKeyView)],
	},
	"POST /me/ssh-keys": {
		summary: "Add an SSH key",
		for: "account",
		body: account.SshKeyRequest,
		answer: [201, account.SshKeyView],
	},
	"DELETE /me/ssh-keys/{id}": { summary: "Remove an SSH key", for: "account", path: byId, answer: [204, null] },
	"GET /me/entitlements": {
		summary: "What my vouchers give",
		for: "read",
		query: PageQuery,
		answer: [200, pageOf(account.EntitlementView)],
	},
	"POST /me/entitlements": {
		summary: "Redeem another voucher",
		for: "account",
		body: account.Redeem,
		answer: [201, account.EntitlementView],
	},
	"GET /me/notice-settings": { summary: "How I am told", for: "read", answer: [200, notice.NoticeSettings] },
	"PUT /me/notice-settings": {
		summary: "Change how I am told",
		for: "account",
		body: notice.NoticeSettings,
		answer: [200, notice.NoticeSettingsSaved],
	},
	"POST /me/notice-settings/test": {
		summary: "Send a test notice over every channel",
		for: "account",
		answer: [202, null],
	},

	"GET /domains": { summary: "My domains", for: "read", query: PageQuery, answer: [200, pageOf(domain.DomainView)] },
	"POST /domains": {
		summary: "Add a domain; adding it again changes nothing",
		for: "deploy",
		body: domain.DomainRequest,
		answer: [201, domain.DomainView],
	},
	"GET /domains/{domain}/records": {
		summary: "The records a choice of services needs, and how they are now",
		for: "read",
		path: byDomain,
		query: domain.RecordsQuery,
		answer: [200, domain.RecordsView],
	},
	"DELETE /domains/{domain}": {
		summary: "Forget a domain without services",
		for: "deploy",
		path: byDomain,
		answer: [204, null],
	},

	"GET /deployments": {
		summary: "My deployments",
		for: "read",
		query: PageQuery,
		answer: [200, pageOf(deployment.DeploymentView)],
	},
	"POST /deployments": {
		summary: "Deploy services under a domain",
		for: "deploy",
		body: deployment.DeploymentRequest,
		answer: [202, deployment.Accepted],
	},
	"GET /deployments/{id}": {
		summary: "One deployment with the health of its services",
		for: "read",
		path: byId,
		answer: [200, deployment.DeploymentView],
	},
	"POST /deployments/{id}/restart": {
		summary: "Restart one service or all",
		for: "deploy",
		path: byId,
		body: deployment.RestartRequest,
		answer: [202, deployment.Accepted],
	},
	"POST /deployments/{id}/repair": {
		summary: "Set up again what is not as it should be; what the services hold stays",
		for: "deploy",
		path: byId,
		answer: [202, deployment.Accepted],
	},
	"POST /deployments/{id}/remove": {
		summary: "Stop serving, and erase after the days of grace",
		for: "deploy",
		path: byId,
		body: deployment.Confirmation,
		answer: [202, deployment.Accepted],
	},
	"POST /deployments/{id}/restore": {
		summary: "Bring back a removed deployment in its days of grace",
		for: "deploy",
		path: byId,
		answer: [202, deployment.Accepted],
	},
	"POST /deployments/{id}/erase": {
		summary: "Erase a removed deployment now",
		for: "deploy",
		path: byId,
		body: deployment.Confirmation,
		answer: [202, deployment.Accepted],
	},
	"POST /deployments/{id}/services/{service}/credentials": {
		summary: "Show the first account's password, once",
		for: "account",
		path: byService,
		answer: [200, deployment.Credentials],
	},
	"PUT /deployments/{id}/services/{service}/credentials": {
		summary: "Set a new password for the first account",
		for: "account",
		path: byService,
		body: deployment.PasswordSetting,
		answer: [202, deployment.Accepted],
	},
	"GET /deployments/{id}/history": {
		summary: "What happened to it, newest first",
		for: "read",
		path: byId,
		query: PageQuery,
		answer: [200, pageOf(deployment.HistoryEntry)],
	},

	"GET /move-ins": {
		summary: "My migration tokens and what became of them, newest first",
		for: "read",
		query: PageQuery,
		answer: [200, pageOf(migration.MoveIn)],
	},
	"POST /move-ins": {
		summary: "Make a migration token for moving a deployment here; it is shown this once",
		for: "account",
		body: migration.MoveInRequest,
		answer: [201, migration.MoveInMade],
	},
	"GET /move-ins/{id}": { summary: "One migration token", for: "read", path: byId, answer: [200, migration.MoveIn] },
	"DELETE /move-ins/{id}": {
		summary: "Revoke a token that nobody has used yet",
		for: "account",
		path: byId,
		answer: [204, null],
	},
	"POST /move-ins/{id}/agree": {
		summary: "Let the deployment that was offered move in",
		for: "account",
		path: byId,
		answer: [200, migration.MoveIn],
	},
	"POST /move-ins/{id}/refuse": {
		summary: "Refuse the deployment that was offered",
		for: "account",
		path: byId,
		answer: [200, migration.MoveIn],
	},
	"GET /providers": {
		summary: "The providers this node knows, and whether they can take a deployment",
		for: "read",
		query: migration.KnownProvidersQuery,
		answer: [200, z.object({ items: z.array(migration.KnownProvider) })],
	},
	"POST /deployments/{id}/move-plan": {
		summary: "What a move with this token would mean; changes nothing",
		for: "account",
		path: byId,
		body: migration.MovePlanRequest,
		answer: [200, migration.MovePlan],
	},
	"POST /deployments/{id}/move": {
		summary: "Move a deployment to another provider",
		for: "account",
		path: byId,
		body: migration.MoveRequest,
		answer: [202, deployment.Accepted],
	},
	"GET /migrations/{id}": {
		summary: "A migration, as this node knows it",
		for: "read",
		path: byId,
		answer: [200, migration.MigrationView],
	},
	"POST /migrations/{id}/thaw": {
		summary: "Let services serve again that rest for a migration; it goes on, and they rest once more later",
		for: "account",
		path: byId,
		answer: [200, migration.MigrationView],
	},
	"GET /migrations/{id}/receipt": {
		summary: "Everything both nodes said, as they signed it",
		for: "read",
		path: byId,
		answer: [200, z.record(z.string(), z.unknown())],
	},

	"GET /jobs": {
		summary: "My jobs, newest first",
		for: "read",
		query: job.JobsQuery,
		answer: [200, pageOf(job.JobHead)],
	},
	"GET /jobs/{id}": { summary: "One job with its steps", for: "read", path: byId, answer: [200, job.JobView] },
	"GET /jobs/{id}/events": {
		summary: "A job as it happens",
		for: "read",
		path: byId,
		answer: [200, null],
		stream: true,
	},
	"GET /jobs/{id}/log": {
		summary: "The raw log of a job",
		for: "read",
		path: byId,
		query: job.LogQuery,
		answer: [200, job.LogView],
	},
	"POST /jobs/{id}/cancel": {
		summary: "Stop a job and undo what it did",
		for: "deploy",
		path: byId,
		answer: [202, job.JobHead],
	},
	"POST /jobs/{id}/retry": { summary: "Try a stuck job again", for: "deploy", path: byId, answer: [202, job.JobHead] },

	"GET /notices": {
		summary: "My notices, newest first",
		for: "read",
		query: PageQuery,
		answer: [200, pageOf(notice.NoticeView)],
	},
	"POST /notices/read": {
		summary: "Mark notices as read, up to one",
		for: "account",
		body: notice.NoticesRead,
		answer: [204, null],
	},
	"GET /notices/events": { summary: "Notices as they come", for: "read", answer: [200, null], stream: true },
	"GET /notices/deliveries": {
		summary: "What became of mails and webhooks, newest first",
		for: "account",
		query: PageQuery,
		answer: [200, pageOf(notice.DeliveryView)],
	},

	...staffOperations,
} as const satisfies Record<`${string} /${string}`, Operation>;

export type Operations = typeof operations;
export type OperationName = keyof Operations;
