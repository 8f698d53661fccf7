/**
 * What provider staff can do, on the operators' socket and with a session of an account that is staff's; a part of
 * `operations`. Who is staff, and whatever would let staff act as a customer, is for the socket alone (`operator`).
 */
import { z } from "zod";
import { Accepted } from "./deployment.ts";
import { DomainName } from "./domain.ts";
import * as job from "./job.ts";
import { Id, PageQuery, pageOf } from "./page.ts";
import * as staff from "./staff.ts";

const byId = z.strictObject({ id: Id });

export const staffOperations = {
	"GET /staff/vouchers": {
		summary: "All vouchers",
		for: "staff",
		query: PageQuery,
		answer: [200, pageOf(staff.VoucherView)],
	},
	"POST /staff/vouchers": {
		summary: "Make a voucher; its code is shown this once",
		for: "staff",
		body: staff.VoucherRequest,
		answer: [201, staff.VoucherMade],
	},
	"DELETE /staff/vouchers/{id}": { summary: "Withdraw a voucher", for: "staff", path: byId, answer: [204, null] },
	"GET /staff/customers": {
		summary: "All customers",
		for: "staff",
		query: PageQuery,
		answer: [200, pageOf(staff.CustomerView)],
	},
	"PATCH /staff/customers/{id}": {
		summary: "Let an account do what provider staff does, or no longer",
		for: "operator",
		path: byId,
		body: staff.CustomerChange,
		answer: [200, staff.CustomerView],
	},
	"POST /staff/customers/{id}/reset-password": {
		summary: "Give a customer a new password; ends all sessions",
		for: "operator",
		path: byId,
		answer: [200, staff.PasswordReset],
	},
	"GET /staff/jobs": {
		summary: "All jobs, newest first",
		for: "staff",
		query: job.JobsQuery,
		answer: [200, pageOf(job.JobHead)],
	},
	"GET /staff/jobs/{id}": { summary: "One job with its steps", for: "staff", path: byId, answer: [200, job.JobView] },
	"POST /staff/jobs/{id}/cancel": {
		summary: "Stop a job and undo what it did",
		for: "staff",
		path: byId,
		answer: [202, job.JobHead],
	},
	"POST /staff/jobs/{id}/retry": {
		summary: "Try a stuck job again",
		for: "staff",
		path: byId,
		answer: [202, job.JobHead],
	},
	"POST /staff/deployments/{id}/repair": {
		summary: "Set up again what is not as it should be with a deployment, by its id or domain",
		for: "staff",
		path: z.strictObject({ id: z.string().min(1).max(253) }),
		answer: [202, Accepted],
	},
	"GET /staff/peers": {
		summary: "The nodes that this one knows of",
		for: "staff",
		query: PageQuery,
		answer: [200, pageOf(staff.PeerView)],
	},
	"POST /staff/peers": {
		summary: "Know a node; one that is known is looked at again",
		for: "staff",
		body: staff.PeerRequest,
		answer: [201, staff.PeerView],
	},
	"PATCH /staff/peers/{id}": {
		summary: "Allow, block, hide or limit a node, or confirm its new key",
		for: "staff",
		path: byId,
		body: staff.PeerChange,
		answer: [200, staff.PeerView],
	},
	"DELETE /staff/peers/{id}": { summary: "Forget a node", for: "staff", path: byId, answer: [204, null] },
	"GET /staff/moves": {
		summary: "Offers of other nodes that wait for staff",
		for: "staff",
		answer: [200, z.object({ items: z.array(staff.OfferedMove) })],
	},
	"POST /staff/moves/{id}/accept": {
		summary: "Let an offer in, once its customer agrees as well",
		for: "staff",
		path: byId,
		answer: [204, null],
	},
	"POST /staff/moves/{id}/refuse": { summary: "Refuse an offer", for: "staff", path: byId, answer: [204, null] },
	"POST /staff/domains/{domain}/thaw": {
		summary: "Let services serve again that rest for a move; it goes on, and they rest once more later",
		for: "staff",
		path: z.strictObject({ domain: DomainName }),
		answer: [204, null],
	},
	"GET /staff/machines": {
		summary: "The machines of this provider",
		for: "staff",
		answer: [200, z.object({ items: z.array(staff.MachineView) })],
	},
	"POST /staff/machines": {
		summary: "Take a machine into the pool",
		for: "staff",
		body: staff.MachineRequest,
		answer: [201, staff.MachineView],
	},
	"PATCH /staff/machines/{id}": {
		summary: "Drain a machine, or open it again",
		for: "staff",
		path: byId,
		body: staff.MachineChange,
		answer: [200, staff.MachineView],
	},
	"DELETE /staff/machines/{id}": {
		summary: "Forget a machine that carries nothing",
		for: "staff",
		path: byId,
		answer: [204, null],
	},
	"GET /staff/machines/{id}/findings": {
		summary: "Go to a machine, and say what is wrong there, with the fix",
		for: "staff",
		path: byId,
		answer: [200, z.object({ items: z.array(staff.FindingView) })],
	},
	"GET /staff/machine-key": {
		summary: "The public key by which machines know this node",
		for: "staff",
		answer: [200, staff.NodeKey],
	},
	"GET /staff/host-key": {
		summary: "The host key that a machine shows; a person must compare it",
		for: "staff",
		query: staff.HostKeyQuery,
		answer: [200, staff.HostKey],
	},
	"GET /staff/findings": {
		summary: "What is wrong with this node, and the fix",
		for: "staff",
		answer: [200, z.object({ items: z.array(staff.FindingView) })],
	},
} as const;
