import { msg } from "@lit/localize";

export interface CardWords {
	promise: string;
	goodFor: string;
	growth: string;
}

/** The texts of node/services once more, where translators find them; a test keeps the two the same. */
export const catalogueWords: Readonly<Record<string, () => CardWords>> = {
	mastodon: () => ({
		promise: msg("A social network of short posts, with everything people know from Mastodon"),
		goodFor: msg("Organisations and communities with many accounts and somebody who moderates"),
		growth: msg("Mostly by pictures and videos of the accounts you follow: expect 10 to 50 GB in a year for 50 people"),
	}),
	gotosocial: () => ({
		promise: msg(
			"A lightweight Fediverse server with careful privacy and safety settings; you bring the app of your choice",
		),
		goodFor: msg("People, families and small groups who use a Mastodon app rather than a website"),
		growth: msg(
			"Mostly by pictures of the accounts you follow, which are dropped after a week: expect 2 to 10 GB in a year",
		),
	}),
	snac: () => ({
		promise: msg("A small, quick Fediverse server that works with every Mastodon app"),
		goodFor: msg("One person or a handful of people who want to be on the Fediverse without ado"),
		growth: msg("Slowly: posts of those you follow are dropped after four months; expect some 100 MB in a year"),
	}),
	pixelfed: () => ({
		promise: msg("A social network for photographs, in the order in which they were taken and without advertisements"),
		goodFor: msg("Photographers, clubs and families who share pictures"),
		growth: msg("By the photographs: about 1 GB for every 1,000 of them"),
	}),
	peertube: () => ({
		promise: msg("Your own place for videos and live streams that others can follow and comment on"),
		goodFor: msg("Those who publish videos and do not want somebody else's advertisements beside them"),
		growth: msg("By what you upload: about 2 to 5 GB for each hour of video, since it is kept in several sizes"),
	}),
	galene: () => ({
		promise: msg("Video meetings and lectures in the browser; guests need nothing but the link"),
		goodFor: msg("Meetings, lessons and office hours, from two people to some dozens"),
		growth: msg("It does not grow: meetings are not kept, unless you record them"),
	}),
	wiki: () => ({
		promise: msg("A wiki of your own whose pages others can take over into theirs, change and give back"),
		goodFor: msg("Notes, teaching and thinking together, where everybody keeps their own version"),
		growth: msg("Hardly: a page is some kilobytes; pictures count as what they are"),
	}),
	prosody: () => ({
		promise: msg("Chat by XMPP, the open standard: with every XMPP app, and with people on other servers"),
		goodFor: msg("Families, clubs and teams who chat and want to choose their app themselves"),
		growth: msg("Slowly: messages are small, and files are dropped after some days"),
	}),
	garage: () => ({
		promise: msg("The storage in which other services keep pictures and videos"),
		goodFor: msg("Mastodon, PeerTube and Pixelfed; they cannot do without it"),
		growth: msg("By what the other services put into it"),
	}),
};
