import type { Language } from "../../gateway/words.ts";

/** The sentences of the demo's own page. `{…}` is filled in. */
export interface Words {
	readonly title: string;
	readonly lead: string;
	readonly demo: string;
	readonly world: string;
	readonly door: string;
	readonly doorSays: string;
	readonly zone: string;
	readonly zoneSays: string;
	readonly zoneEmpty: string;
	readonly mail: string;
	readonly mailSays: string;
	readonly mailLink: string;
	readonly panelLink: string;
	readonly runs: string;
	readonly starts: string;
	readonly voucher: string;
	readonly voucherLater: string;
	readonly copy: string;
	readonly copied: string;
	readonly try: string;
	readonly steps: readonly [string, string, string];
	readonly where: string;
	readonly stateAt: string;
	readonly stop: string;
	readonly fresh: string;
	readonly otherLanguage: string;
}

export const words: Record<Language, Words> = {
	en: {
		title: "Two providers on your machine",
		lead: "North and South are two independent hosting providers. Each runs a complete node with customers, keys and a database of its own. You can be a customer of both.",
		demo: "This is a demo: it works for real, but only on this machine, and nobody else can reach it.",
		world: "The small world",
		door: "Front door",
		doorSays: "Everything arrives at port {port}. The zone says which provider it goes to.",
		zone: "Zone {zone}",
		zoneSays: "A real name server. Both providers set your records in it.",
		zoneEmpty: "Your addresses will appear here.",
		mail: "Mailbox",
		mailSays: "Mail to anybody is caught here instead of being sent.",
		mailLink: "Open the mailbox",
		panelLink: "Open {name}’s panel",
		runs: "running",
		starts: "starting",
		voucher: "Voucher for a new account",
		voucherLater: "A voucher will be here as soon as {name} runs.",
		copy: "Copy",
		copied: "Copied",
		try: "Three things to try",
		steps: [
			"Open North’s panel and sign up with its voucher. Any e-mail address will do; its mail arrives in the mailbox.",
			"Give a domain such as choir.localhost, pick snac and Federated Wiki, and start. Follow the steps until both answer.",
			"Move it: at South make a token for moving a deployment here, and at North paste it under “Move to another provider” on the page of choir.localhost. Every address stays the same.",
		],
		where: "Good to know",
		stateAt: "Everything that you do is kept in",
		stop: "Ctrl-C in the terminal stops everything. The next start goes on where you were, even after a power cut.",
		fresh: "To begin anew:",
		otherLanguage: "Deutsch",
	},
	de: {
		title: "Zwei Anbieter auf Ihrem Rechner",
		lead: "North und South sind zwei unabhängige Hosting-Anbieter. Jeder betreibt einen vollständigen Knoten mit eigenen Kunden, Schlüsseln und eigener Datenbank. Sie können bei beiden Kunde sein.",
		demo: "Das ist eine Demo: Alles funktioniert wirklich, aber nur auf diesem Rechner, und niemand sonst kann es erreichen.",
		world: "Die kleine Welt",
		door: "Eingang",
		doorSays: "Alles kommt an Port {port} an. Die Zone sagt, zu welchem Anbieter es gehört.",
		zone: "Zone {zone}",
		zoneSays: "Ein echter Nameserver. Beide Anbieter setzen Ihre Einträge darin.",
		zoneEmpty: "Hier werden Ihre Adressen stehen.",
		mail: "Postfach",
		mailSays: "Post an beliebige Empfänger wird hier aufgefangen statt verschickt.",
		mailLink: "Postfach öffnen",
		panelLink: "Panel von {name} öffnen",
		runs: "läuft",
		starts: "startet",
		voucher: "Gutschein für ein neues Konto",
		voucherLater: "Hier steht ein Gutschein, sobald {name} läuft.",
		copy: "Kopieren",
		copied: "Kopiert",
		try: "Drei Dinge zum Ausprobieren",
		steps: [
			"Öffnen Sie das Panel von North und registrieren Sie sich mit dem Gutschein. Jede E-Mail-Adresse ist recht; ihre Post kommt im Postfach an.",
			"Geben Sie eine Domain wie choir.localhost an, wählen Sie snac und Federated Wiki und starten Sie. Verfolgen Sie die Schritte, bis beide antworten.",
			"Ziehen Sie um: Erstellen Sie bei South einen Token für den Umzug hierher und fügen Sie ihn bei North auf der Seite von choir.localhost unter „Zu einem anderen Anbieter umziehen“ ein. Jede Adresse bleibt dieselbe.",
		],
		where: "Gut zu wissen",
		stateAt: "Alles, was Sie tun, wird aufbewahrt in",
		stop: "Strg-C im Terminal beendet alles. Der nächste Start macht dort weiter, wo Sie waren, auch nach einem Stromausfall.",
		fresh: "Um von vorn zu beginnen:",
		otherLanguage: "English",
	},
};
