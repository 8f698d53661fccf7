import { describe, expect, test } from "vitest";
import { mainSource, oneLine, releaseIn, releaseSources, sourcesIn } from "./debian-sources.ts";

const bookworm =
	'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n';

describe("os-release", () => {
	test("tells the codename of a Debian that is new enough, or that has no number yet", () => {
		expect(releaseIn(bookworm)).toBe("bookworm");
		expect(releaseIn("ID=debian\nVERSION_CODENAME=forky\n")).toBe("forky");
	});

	test.each([
		["too old", bookworm.replace('"12"', '"11"')],
		["something else, though like Debian", bookworm.replace("ID=debian", "ID=ubuntu\nID_LIKE=debian")],
		["missing", ""],
	])("tells nothing when it is %s", (_what, text) => {
		expect(releaseIn(text)).toBeUndefined();
	});
});

const deb822 = `# This machine's mirror
Types: deb
# URIs: http://not.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

const lines = `deb [signed-by=/usr/share/keyrings/cloud.gpg] https://packages.example/apt cloud-sdk main
# deb http://off.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian stable main contrib
deb http://mirror.example/debian bookworm-updates main
`;

describe("the machine's sources", () => {
	test("in deb822 style give Debian's own archive, not its updates, its security or what is switched off", () => {
		const sources = sourcesIn("debian.sources", deb822);
		expect(sources.map(({ suite }) => suite)).toEqual(["bookworm", "bookworm-updates", "bookworm-security"]);
		const source = mainSource(sources, "bookworm");
		expect(source && oneLine(source)).toBe(
			"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main",
		);
	});

	test("give updates and security fixes of this release too", () => {
		const sources = sourcesIn("debian.sources", `${deb822}\n\n${deb822.replaceAll("bookworm", "trixie")}`);
		const suites = releaseSources(sources, "bookworm").map(({ suite }) => suite);
		expect(suites).toEqual(["bookworm", "bookworm-updates", "bookworm-security"]);
	});

	test("in one-line style too; foreign archives are not asked; the suite takes its codename", () => {
		const sources = sourcesIn("/etc/apt/sources.list", lines);
		expect(sources).toHaveLength(3);
		const source = mainSource(sources, "bookworm");
		expect(source && oneLine(source)).toBe(
			"deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main",
		);
	});

	test("that hold only foreign archives give nothing", () => {
		expect(
			mainSource(sourcesIn("x.list", "deb https://packages.example/apt cloud-sdk main\n"), "bookworm"),
		).toBeUndefined();
		expect(mainSource([], "bookworm")).toBeUndefined();
	});

	test("without options are written without brackets", () => {
		expect(oneLine({ options: [], uri: "http://m.example/debian", suite: "sid" })).toBe(
			"deb http://m.example/debian sid main",
		);
	});
});
