/** What the gateway has to say by itself: a service is on its way, is not there, or the host name is nobody's. */
export type Matter = "starting" | "frozen" | "stopped" | "gone" | "slow" | "away" | "round" | "unknown";

export type Language = "en" | "de";

interface Words {
	readonly title: string;
	readonly text: string;
}

/** `{host}` and `{provider}` are filled in. The title alone is what apps and terminals get. */
export const words: Record<Language, Record<Matter, Words>> = {
	en: {
		starting: {
			title: "{host} is starting",
			text: "This usually takes less than a minute. You will be taken there as soon as it is ready.",
		},
		frozen: {
			title: "{host} is paused for a moment",
			text: "Everything in it is being copied, and nothing may change meanwhile. Nothing is lost, and what others send arrives afterwards.",
		},
		stopped: {
			title: "{host} is switched off",
			text: "The people who run it have switched it off. Everything in it is kept for now.",
		},
		gone: {
			title: "{host} does not answer",
			text: "The address is right, but the program behind it is not running at the moment. It is being started again.",
		},
		slow: {
			title: "{host} takes too long to answer",
			text: "The address is right, but the program behind it did not answer in time. It may be very busy.",
		},
		away: {
			title: "{host} has moved, and its new provider does not answer",
			text: "The address is right. What others send waits until it answers, and nothing is lost.",
		},
		round: {
			title: "{host} is between two providers",
			text: "Each of them says that the other one has it. That passes as soon as its move is finished.",
		},
		unknown: {
			title: "There is nothing at {host}",
			text: "You have reached a machine of {provider}, and no service here has this name.",
		},
	},
	de: {
		starting: {
			title: "{host} startet",
			text: "Das dauert meist weniger als eine Minute. Sie werden weitergeleitet, sobald alles bereit ist.",
		},
		frozen: {
			title: "{host} macht eine kurze Pause",
			text: "Gerade wird alles kopiert, und dabei darf sich nichts ändern. Nichts geht verloren, und was andere senden, kommt danach an.",
		},
		stopped: {
			title: "{host} ist ausgeschaltet",
			text: "Die Betreiber haben diesen Dienst ausgeschaltet. Alles darin wird vorerst aufbewahrt.",
		},
		gone: {
			title: "{host} antwortet nicht",
			text: "Die Adresse stimmt, aber das Programm dahinter läuft im Moment nicht. Es wird wieder gestartet.",
		},
		slow: {
			title: "{host} braucht zu lange für eine Antwort",
			text: "Die Adresse stimmt, aber das Programm dahinter hat nicht rechtzeitig geantwortet. Vielleicht ist es sehr beschäftigt.",
		},
		away: {
			title: "{host} ist umgezogen, und der neue Anbieter antwortet nicht",
			text: "Die Adresse stimmt. Was andere senden, wartet, bis er antwortet, und nichts geht verloren.",
		},
		round: {
			title: "{host} ist zwischen zwei Anbietern",
			text: "Jeder von beiden sagt, dass der andere es hat. Das geht vorbei, sobald der Umzug fertig ist.",
		},
		unknown: {
			title: "Unter {host} gibt es nichts",
			text: "Sie haben eine Maschine von {provider} erreicht, und kein Dienst hier trägt diesen Namen.",
		},
	},
};

/** What can be checked when a host name is unknown, by whom, and the labels of the page. `{panel}` becomes a link. */
export const labels: Record<
	Language,
	{ visitor: string; owner: string; operator: string; panel: string; looks: string; again: string; nameless: string }
> = {
	en: {
		visitor: "You followed a link: check the address for typing mistakes.",
		owner:
			"The domain is yours: sign in to {panel} and see whether the deployment is finished and which address it got.",
		operator: "You run this machine: a proxy in front of it must pass the Host header on unchanged.",
		panel: "the panel of {provider}",
		looks: "This page looks again every {seconds} seconds.",
		again: "Look again now",
		nameless: "this address",
	},
	de: {
		visitor: "Sie sind einem Link gefolgt: Prüfen Sie die Adresse auf Tippfehler.",
		owner:
			"Die Domain gehört Ihnen: Melden Sie sich in {panel} an und sehen Sie nach, ob die Einrichtung fertig ist und welche Adresse sie bekommen hat.",
		operator: "Sie betreiben diese Maschine: Ein Proxy davor muss den Host-Header unverändert weitergeben.",
		panel: "der Verwaltung von {provider}",
		looks: "Diese Seite sieht alle {seconds} Sekunden wieder nach.",
		again: "Jetzt nachsehen",
		nameless: "dieser Adresse",
	},
};

/** The matter in one sentence. */
export function sentence(matter: Matter, host: string, language: Language): string {
	return words[language][matter].title.replace("{host}", () => host || labels[language].nameless);
}
