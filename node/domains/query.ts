import { randomInt } from "node:crypto";
import packet, { type Answer, type DecodedPacket, type RecordType } from "dns-packet";
import { NoAnswer, overTcp, overUdp, type Patience, patience, type Server, written } from "./exchange.ts";
import { ednsOption } from "./wire.ts";

/** What is asked of a server. `recursive`: it shall find out for us; otherwise it shall say what it knows itself. */
export interface Question {
	readonly name: string;
	readonly type: RecordType;
	readonly recursive: boolean;
}

/** An answer to just this question; the rest of the packet is as dns-packet reads it. */
export interface Reply {
	readonly rcode: string;
	readonly authoritative: boolean;
	readonly answers: readonly Answer[];
}

/** The types of dns-packet leave these two out. */
type Decoded = DecodedPacket & { rcode: string; opcode: string };

/** UDP payload that passes unfragmented everywhere (DNS flag day 2020). */
const udpPayloadSize = 1232;

/** Asks by UDP, and by TCP when the answer does not fit; throws NoAnswer when nothing fitting comes back. */
export async function query(
	server: Server,
	question: Question,
	{ datagram, attempts, connection }: Patience = patience,
): Promise<Reply> {
	for (let attempt = 1; ; attempt++) {
		const id = randomInt(0x10000);
		const fits = (answer: Buffer) => fitting(answer, id, question);
		try {
			const reply = await overUdp(server, questionBytes(id, question), datagram, fits);
			return reply.flag_tc ? await queryOverTcp(server, question, connection) : replyOf(reply);
		} catch (error) {
			if (!(error instanceof NoAnswer) || attempt >= attempts) throw error;
		}
	}
}

async function queryOverTcp(server: Server, question: Question, milliseconds: number): Promise<Reply> {
	const id = randomInt(0x10000);
	const reply = fitting(await overTcp(server, questionBytes(id, question), milliseconds), id, question);
	if (reply) return replyOf(reply);
	throw new NoAnswer(server, `${written(server)} sent something else`);
}

function questionBytes(id: number, { name, type, recursive }: Question): Buffer {
	return packet.encode({
		type: "query",
		id,
		flags: recursive ? packet.RECURSION_DESIRED : 0,
		questions: [{ name, type }],
		additionals: [ednsOption(udpPayloadSize)],
	});
}

/** Whether it answers this question and no other; whoever guesses must guess id, port and name (RFC 5452 §9). */
function fitting(answer: Buffer, id: number, { name, type }: Question): Decoded | undefined {
	try {
		const reply = packet.decode(answer) as Decoded;
		const [asked, ...more] = reply.questions ?? [];
		const same = asked && more.length === 0 && asked.type === type && asked.name.toLowerCase() === name.toLowerCase();
		return reply.type === "response" && reply.id === id && reply.opcode === "QUERY" && same ? reply : undefined;
	} catch {
		return undefined;
	}
}

const replyOf = ({ rcode, flag_aa, answers }: Decoded): Reply => ({
	rcode,
	authoritative: flag_aa,
	answers: answers ?? [],
});
