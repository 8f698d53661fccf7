/** What every answer carries: nothing is guessed, framed, shared with other sites or told them. */
export function securityHeaders(origin: string): Record<string, string> {
	return {
		"x-content-type-options": "nosniff",
		"referrer-policy": "same-origin",
		"cross-origin-opener-policy": "same-origin",
		"cross-origin-resource-policy": "same-origin",
		...(origin.startsWith("https:") && { "strict-transport-security": "max-age=63072000" }),
	};
}

/** For what is no page: it may load nothing and be shown nowhere. */
export const contentPolicy = "default-src 'none'; frame-ancestors 'none'";

/**
 * For the panel's page: scripts, styles and everything else from this origin only, nothing inline, and text becomes
 * markup only through Lit (Trusted Types). `logo` may be a picture of another origin of the provider's.
 */
export function pagePolicy(logo: string | null): string {
	const picture = logo && URL.parse(logo)?.origin;
	return [
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		`img-src 'self' data:${picture ? ` ${picture}` : ""}`,
		"font-src 'self'",
		"connect-src 'self'",
		"manifest-src 'self'",
		"worker-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types lit-html",
	].join("; ");
}
