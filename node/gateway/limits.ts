/** What one client may cost the gateway. Times in milliseconds, sizes in bytes; 0 means without limit. */
export interface Limits {
	/** A request's head: request line and headers. */
	readonly head: number;
	/** A request's body. Services know better what they take, so there is no limit by default. */
	readonly body: number;
	/** Connections of all clients together. */
	readonly connections: number;
	/** Connections of one address; a whole school may sit behind one. Not used behind a trusted proxy. */
	readonly connectionsPerClient: number;
	/** From the first byte of a head to its last: bounds clients that send a byte now and then. */
	readonly headTime: number;
	/** Between two pieces of a request's body. */
	readonly uploadIdle: number;
	/** How long nothing may move on a connection with a request under way, and on a WebSocket. */
	readonly idle: number;
	/** Between two requests; longer than nginx (60 s) and caddy (120 s) keep theirs, so that they hang up first. */
	readonly keepAlive: number;
	/** How long the rest of a body is still taken in when the answer is already out. */
	readonly linger: number;
	/** Until a service accepts the connection. */
	readonly connect: number;
	/** From the end of the request until the service begins to answer. */
	readonly firstByte: number;
	/** Connections to one service at once; further requests wait. Every open stream of progress takes one. */
	readonly connectionsPerService: number;
	/** Connections to another node at once, for one host name that has moved there. */
	readonly connectionsAway: number;
	/** A service's answer: status line and headers. */
	readonly answerHead: number;
}

const second = 1000;
const minute = 60 * second;

export const defaultLimits: Limits = {
	head: 16 * 1024,
	body: 0,
	connections: 10_000,
	connectionsPerClient: 1024,
	headTime: 15 * second,
	uploadIdle: minute,
	idle: 10 * minute,
	keepAlive: 125 * second,
	linger: 30 * second,
	connect: 5 * second,
	firstByte: 2 * minute,
	connectionsPerService: 1024,
	connectionsAway: 256,
	answerHead: 32 * 1024,
};
