import { isDue, type Standing } from "../certificates/certificate.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

const day = 86_400_000;
/** One failure may be anybody's hiccup, also the next one's when a name server was slow. */
const worrying = 2;

/** Whether every certificate that this node gets is good for a while yet, and what stands against the next one. */
export function certificates(known: readonly Standing[], now: number): Finding[] {
	const found = known.flatMap((standing) => findingOf(standing, now) ?? []);
	if (found.length > 0 || known.length === 0) return found;
	const soonest = Math.min(...known.map(({ endsAt }) => endsAt ?? Number.POSITIVE_INFINITY));
	return [good("certificates", `${counted(known.length)}; the first one ends on ${date(soonest)}`)];
}

function findingOf(standing: Standing, now: number): Finding | undefined {
	const { domain, endsAt, problem, failures, nextAt } = standing;
	const why = problem === null ? "nobody here sets its records" : problem;
	const fix =
		problem === null
			? "Hold its zone, or let a proxy in front of this node have a certificate for it"
			: `Mend that; it is tried again after ${new Date(nextAt).toISOString().slice(0, 16)}Z`;
	if (endsAt === null)
		return failures < worrying ? undefined : bad("certificates", `${domain} has no certificate: ${why}`, fix);
	if (endsAt <= now) return bad("certificates", `The certificate of ${domain} ended on ${date(endsAt)}: ${why}`, fix);
	// It should have been renewed since a while.
	const isNear = isDue(standing, now - day);
	if (!isNear && failures < worrying) return undefined;
	return warning("certificates", `The certificate of ${domain} ends on ${date(endsAt)}: ${why}`, fix);
}

const counted = (count: number) => `${count} certificate${count === 1 ? " is" : "s are"} good`;
const date = (at: number) => new Date(at).toISOString().slice(0, 10);
